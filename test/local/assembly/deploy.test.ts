import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { publishedAsset } from '../../../local/assembly/assets.ts';
import { createDeployer } from '../../../local/assembly/deploy.ts';
import type { Template } from '../../../local/assembly/template.ts';
import type { ResourceProvider } from '../../../local/kernel.ts';
import { type StackSource, testAccount, writeAssembly } from './write-assembly.ts';

const root = mkdtempSync(join(tmpdir(), 'deploy-test-'));
afterAll(() => rmSync(root, { recursive: true }));

let written = 0;
function deployer() {
  const created: { id: string; properties: Record<string, unknown> }[] = [];
  const thing: ResourceProvider = {
    create(properties, { logicalId, region }) {
      if (properties.Broken !== undefined) throw new Error('broken');
      created.push({ id: logicalId, properties });
      return { ref: `${logicalId}@${region}`, attributes: { Arn: `arn:${logicalId}` } };
    },
  };
  const dataDirectory = join(root, `data-${written}`);
  const target = createDeployer({
    account: testAccount,
    dataDirectory,
    provider: (type) => (type === 'Test::Thing' ? thing : undefined),
    ssmParameter: async (name) => `value of ${name}`,
  });
  const deploy = (stacks: Record<string, StackSource>) =>
    target.deploy(writeAssembly(join(root, String(written++)), stacks));
  const deployTemplate = (template: Template) => deploy({ One: { region: 'us-east-1', template } });
  return { created, deploy, deployTemplate, dataDirectory, ids: () => created.map(({ id }) => id) };
}
const thing = (Properties: Record<string, unknown> = {}, more = {}) => ({ Type: 'Test::Thing', Properties, ...more });

describe('deploying an assembly', () => {
  it('creates what is referred to or depended on first, and resolves properties and outputs', async () => {
    const { created, deployTemplate, ids } = deployer();
    const [stack] = await deployTemplate({
      Resources: {
        Last: thing({ on: { 'Fn::GetAtt': ['Middle', 'Arn'] } }),
        Middle: thing({}, { DependsOn: 'First' }),
        First: thing(),
      },
      Outputs: { Out: { Value: { Ref: 'Last' } } },
    });
    expect(ids()).toEqual(['First', 'Middle', 'Last']);
    expect(created.at(-1)?.properties).toEqual({ on: 'arn:Middle' });
    expect(stack).toMatchObject({ outputs: { Out: 'Last@us-east-1' }, resources: { First: 'First@us-east-1' } });
  });

  it('deploys stacks after those they depend on, and imports what these export', async () => {
    const { created, deploy } = deployer();
    const exported = { Value: { Ref: 'A' }, Export: { Name: 'a' } };
    await deploy({
      Second: {
        region: 'us-east-1',
        template: { Resources: { B: thing({ a: { 'Fn::ImportValue': 'a' } }) } },
        dependencies: ['First'],
      },
      First: { region: 'us-east-1', template: { Resources: { A: thing() }, Outputs: { A: exported } } },
    });
    expect(created).toEqual([
      { id: 'A', properties: {} },
      { id: 'B', properties: { a: 'A@us-east-1' } },
    ]);
  });

  it("leaves out resources whose condition fails and the CDK's metadata", async () => {
    const { deployTemplate, ids } = deployer();
    await deployTemplate({
      Conditions: { Never: { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'eu-west-1'] } },
      Resources: { Skipped: thing({}, { Condition: 'Never' }), Meta: { Type: 'AWS::CDK::Metadata' }, Kept: thing() },
    });
    expect(ids()).toEqual(['Kept']);
  });

  it('gives parameters their defaults, the bootstrap version and SSM parameters included', async () => {
    const { created, deployTemplate } = deployer();
    await deployTemplate({
      Parameters: {
        Plain: { Type: 'String', Default: 'x' },
        Ssm: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/a' },
        BootstrapVersion: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/cdk-bootstrap/hnb659fds/version' },
      },
      Rules: {
        CheckBootstrapVersion: {
          Assertions: [{ Assert: { 'Fn::Not': [{ 'Fn::Contains': [['1', '5'], { Ref: 'BootstrapVersion' }] }] } }],
        },
      },
      Resources: { A: thing({ plain: { Ref: 'Plain' }, ssm: { Ref: 'Ssm' } }) },
    });
    expect(created[0]?.properties).toEqual({ plain: 'x', ssm: 'value of /a' });
  });

  it('copies assets once, out of the assembly', async () => {
    const { deploy, dataDirectory } = deployer();
    const template = { Resources: { A: thing() } };
    await deploy({ One: { region: 'us-east-1', template, assets: { abc: { 'index.mjs': 'code' } } } });
    expect(existsSync(join(publishedAsset(dataDirectory, 'abc.zip'), 'index.mjs'))).toBe(true);
    expect(() => publishedAsset(dataDirectory, 'other.zip')).toThrow(/other.zip is in no assembly/);
  });

  it.each<{ case: string; template: Template & Record<string, unknown>; error: RegExp }>([
    {
      case: 'an unknown resource type',
      template: { Resources: { A: { Type: 'AWS::EC2::Volume' } } },
      error: /stack One \(us-east-1\), A \(AWS::EC2::Volume\): .*no such resource type/,
    },
    {
      case: 'a function that is not supported',
      template: { Resources: { A: thing({ x: { 'Fn::Cidr': [] } }) } },
      error: /stack One .*A \(Test::Thing\): .*Fn::Cidr is not supported/,
    },
    {
      case: 'a provider that refuses',
      template: { Resources: { A: thing({ Broken: 1 }) } },
      error: /A \(Test::Thing\): broken/,
    },
    {
      case: 'a circle',
      template: { Resources: { A: thing({ b: { Ref: 'B' } }), B: thing({ a: { Ref: 'A' } }) } },
      error: /circular dependency A → B → A/,
    },
    {
      case: 'a rule that does not hold',
      template: { Rules: { No: { Assertions: [{ Assert: { 'Fn::Equals': [1, 2] }, AssertDescription: 'why' }] } } },
      error: /rule No does not hold: why/,
    },
    { case: 'a transform', template: { Transform: 'AWS::Serverless' }, error: /section Transform is not supported/ },
    {
      case: 'an attribute that is not honoured',
      template: { Resources: { A: thing({}, { UpdatePolicy: {} }) } },
      error: /attribute UpdatePolicy is not supported/,
    },
    {
      case: 'a parameter without default',
      template: { Parameters: { P: { Type: 'String' } } },
      error: /P has no default/,
    },
  ])('refuses $case, naming the place', async ({ template, error }) => {
    await expect(deployer().deployTemplate(template)).rejects.toThrow(error);
  });
});
