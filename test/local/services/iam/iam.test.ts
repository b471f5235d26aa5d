/** IAM and STS as a client sees them: over the wire, signed, checked against the very policies they hold. */
import {
  DeleteRolePolicyCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  IAMClient,
  ListRolePoliciesCommand,
  ListRolesCommand,
  PutRolePolicyCommand,
  SimulatePrincipalPolicyCommand,
} from '@aws-sdk/client-iam';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createCredentials } from '../../../../local/credentials.ts';
import { createDispatch } from '../../../../local/dispatch.ts';
import type { IssuedCredentials, ServiceName } from '../../../../local/kernel.ts';
import { createOutages } from '../../../../local/outages.ts';
import { policySources } from '../../../../local/policies.ts';
import { type IamService, iam } from '../../../../local/services/iam/index.ts';
import { sts } from '../../../../local/services/sts/index.ts';
import { createWire, type Wire } from '../../../../local/wire/server.ts';
import { ACCOUNT, context, fakeHome, REGION } from '../fake-home.ts';

const credentials = createCredentials(ACCOUNT);
const roleArn = (name: string) => `arn:aws:iam::${ACCOUNT}:role/${name}`;
const root = `arn:aws:iam::${ACCOUNT}:root`;
const document = (...Statement: object[]) => ({ Version: '2012-10-17', Statement });
const allow = (Action: string, Resource = '*') => document({ Effect: 'Allow', Action, Resource });
const trusting = (AWS: string) => document({ Effect: 'Allow', Principal: { AWS }, Action: 'sts:AssumeRole' });

let wire: Wire;
let service: IamService;
let assume: (name: ServiceName) => IamService;
const home = { ...fakeHome(), issueCredentials: credentials.issue, service: () => service };
const create = (type: string, properties: Record<string, unknown>, logicalId = 'Thing') =>
  service.resources?.[type]?.create(properties, { ...context, logicalId });

beforeAll(async () => {
  const identities = sts.create(home);
  assume = (name) => (name === 'iam' ? service : identities) as IamService;
  const policies = policySources(home.clock, [REGION], assume, [ACCOUNT]);
  const dispatch = createDispatch({
    ...{ account: ACCOUNT, faults: home.faults, policies, service: assume },
    ...{ outages: createOutages(), homeOfCalls: (_name, region) => region, trail: { record() {} } },
  });
  wire = await createWire({
    services: [iam, sts],
    secretFor: credentials.secretOf,
    dispatch: async ({ service: name, operation, input, region, accessKeyId = '' }) =>
      (await dispatch(name, operation, input, { region, principal: credentials.principalOf(accessKeyId) })) as never,
  });
});
afterAll(() => wire.close());
beforeEach(() => {
  service = iam.create(home) as IamService;
});

const config = (issued?: IssuedCredentials) => ({
  endpoint: wire.endpoint,
  region: REGION,
  maxAttempts: 1,
  credentials: issued ?? { accessKeyId: 'operator', secretAccessKey: 'any' },
});
const as = (name: string) => config(credentials.issue({ kind: 'role', roleArn: roleArn(name), sessionName: 'run' }));

describe('a role of a template', () => {
  it('is described with its generated name, trust and inline policies', async () => {
    const made = await create('AWS::IAM::Role', {
      AssumeRolePolicyDocument: trusting(root),
      Description: 'restores',
      Policies: [{ PolicyName: 'Restore', PolicyDocument: allow('rds:*') }],
      ManagedPolicyArns: ['arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole'],
    });
    const RoleName = made?.ref ?? '';
    expect(RoleName).toMatch(/^stack-Thing-[0-9a-f]{12}$/);
    const client = new IAMClient(config());
    const { Role } = await client.send(new GetRoleCommand({ RoleName }));
    expect(Role).toMatchObject({
      Arn: made?.attributes?.Arn,
      RoleId: made?.attributes?.RoleId,
      Description: 'restores',
    });
    expect(JSON.parse(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? ''))).toEqual(trusting(root));
    const { PolicyNames } = await client.send(new ListRolePoliciesCommand({ RoleName }));
    expect(PolicyNames).toEqual(['Restore']);
    expect(service.policiesOf(roleArn(RoleName))).toHaveLength(2);
  });

  it('takes policies that name it, inline and managed', async () => {
    await create('AWS::IAM::Role', { RoleName: 'R', AssumeRolePolicyDocument: trusting(root) });
    await create('AWS::IAM::Policy', { PolicyName: 'P', PolicyDocument: allow('a:b'), Roles: ['R'] });
    const managed = await create('AWS::IAM::ManagedPolicy', { PolicyDocument: allow('c:d'), Roles: ['R'] });
    expect(managed?.ref).toMatch(/^arn:aws:iam::\d+:policy\/stack-Thing-/);
    expect(service.policiesOf(roleArn('R'))).toEqual([allow('a:b'), allow('c:d')]);
  });

  it('has what it was given last, however often its policies were asked for', async () => {
    await create('AWS::IAM::Role', { RoleName: 'Changed', AssumeRolePolicyDocument: trusting(root) });
    const policies = () => service.policiesOf(roleArn('Changed'));
    const client = new IAMClient(config());
    const put = (PolicyName: string, action: string) => {
      const PolicyDocument = JSON.stringify(allow(action));
      return client.send(new PutRolePolicyCommand({ RoleName: 'Changed', PolicyName, PolicyDocument }));
    };
    expect(policies()).toEqual([]);
    await put('P', 'a:b');
    expect(policies()).toEqual([allow('a:b')]);
    await put('P', 'c:d');
    expect(policies()).toEqual([allow('c:d')]);
    await create('AWS::IAM::ManagedPolicy', { PolicyDocument: allow('e:f'), Roles: ['Changed'] });
    expect(policies()).toEqual([allow('c:d'), allow('e:f')]);
    await client.send(new DeleteRolePolicyCommand({ RoleName: 'Changed', PolicyName: 'P' }));
    expect(policies()).toEqual([allow('e:f')]);
  });

  const trust = { AssumeRolePolicyDocument: trusting(root) };
  it.each([
    {
      case: 'an AWS-managed policy of unknown content',
      properties: { ...trust, ManagedPolicyArns: ['arn:aws:iam::aws:policy/AdministratorAccess'] },
      message: /AdministratorAccess is not known here/,
    },
    {
      case: 'a managed policy that does not exist',
      properties: { ...trust, ManagedPolicyArns: [`arn:aws:iam::${ACCOUNT}:policy/x`] },
      message: /does not exist/,
    },
    {
      case: 'a property that would be ignored',
      properties: { ...trust, PermissionsBoundary: 'arn' },
      message: /PermissionsBoundary/,
    },
    {
      case: 'a malformed trust policy',
      properties: { AssumeRolePolicyDocument: allow('sts:AssumeRole') },
      message: /Principal/,
    },
  ])('is refused with $case', ({ properties, message }) => {
    expect(() => create('AWS::IAM::Role', properties)).toThrow(message);
  });
});

describe('a role policy', () => {
  beforeEach(() => create('AWS::IAM::Role', { RoleName: 'R', AssumeRolePolicyDocument: trusting(root) }));
  const PolicyDocument = JSON.stringify(allow('iam:GetRole', roleArn('R')));

  it('counts from when it is put until it is deleted', async () => {
    const operator = new IAMClient(config());
    const read = () => new IAMClient(as('R')).send(new GetRoleCommand({ RoleName: 'R' }));
    await expect(read()).rejects.toMatchObject({
      name: 'AccessDenied',
      message: `User: arn:aws:sts::${ACCOUNT}:assumed-role/R/run is not authorized to perform: iam:GetRole on resource: ${roleArn('R')} because no identity-based policy allows the iam:GetRole action`,
    });
    await operator.send(new PutRolePolicyCommand({ RoleName: 'R', PolicyName: 'P', PolicyDocument }));
    const { PolicyDocument: stored } = await operator.send(
      new GetRolePolicyCommand({ RoleName: 'R', PolicyName: 'P' }),
    );
    expect(decodeURIComponent(stored ?? '')).toBe(PolicyDocument);
    await expect(read()).resolves.toMatchObject({ Role: { RoleName: 'R' } });
    await operator.send(new DeleteRolePolicyCommand({ RoleName: 'R', PolicyName: 'P' }));
    await expect(read()).rejects.toThrow('not authorized');
  });

  it.each([
    { case: 'of no role', send: () => new GetRoleCommand({ RoleName: 'none' }), name: 'NoSuchEntityException' },
    {
      case: 'that is not there',
      send: () => new DeleteRolePolicyCommand({ RoleName: 'R', PolicyName: 'x' }),
      name: 'NoSuchEntityException',
    },
    {
      case: 'that is malformed',
      send: () => new PutRolePolicyCommand({ RoleName: 'R', PolicyName: 'x', PolicyDocument: '{' }),
      name: 'MalformedPolicyDocumentException',
    },
  ])('$case is $name', async ({ send, name }) => {
    await expect(new IAMClient(config()).send(send() as GetRoleCommand)).rejects.toMatchObject({ name });
  });

  it('is simulated per action and resource', async () => {
    await create('AWS::IAM::Policy', { PolicyName: 'P', PolicyDocument: allow('rds:Describe*'), Roles: ['R'] });
    const ActionNames = ['rds:DescribeDBInstances', 'rds:DeleteDBInstance'];
    const { EvaluationResults } = await new IAMClient(config()).send(
      new SimulatePrincipalPolicyCommand({ PolicySourceArn: roleArn('R'), ActionNames }),
    );
    expect(EvaluationResults?.map(({ EvalDecision }) => EvalDecision)).toEqual(['allowed', 'implicitDeny']);
  });

  it('is simulated with what the policies ask of resources and context, and says which keys they miss', async () => {
    const drills = 'arn:aws:rds:us-west-2:1:db:dr-drill-*';
    const production = 'arn:aws:rds:us-west-2:1:db:prod';
    const tag = 'aws:ResourceTag/incident';
    const Condition = { StringEquals: { [tag]: 'i-1' } };
    await create('AWS::IAM::ManagedPolicy', {
      PolicyDocument: document({ Effect: 'Allow', Action: 'rds:DeleteDBInstance', Resource: '*', Condition }),
      Roles: ['R'],
    });
    await create('AWS::IAM::Policy', {
      PolicyName: 'Guard',
      PolicyDocument: document({ Effect: 'Deny', Action: 'rds:Delete*', NotResource: drills }),
      Roles: ['R'],
    });
    const simulated = async (ContextKeyValues: string[] | undefined) => {
      const { EvaluationResults } = await new IAMClient(config()).send(
        new SimulatePrincipalPolicyCommand({
          PolicySourceArn: roleArn('R'),
          ActionNames: ['rds:DeleteDBInstance'],
          ResourceArns: [drills.replace('*', 'a'), production],
          ContextEntries: ContextKeyValues && [
            { ContextKeyName: tag, ContextKeyValues, ContextKeyType: 'string' as const },
          ],
        }),
      );
      return EvaluationResults?.map(({ EvalDecision, MissingContextValues, ResourceSpecificResults }) => [
        EvalDecision,
        MissingContextValues,
        ResourceSpecificResults?.map(({ EvalResourceDecision }) => EvalResourceDecision),
      ]);
    };
    expect(await simulated(['i-1'])).toEqual([['explicitDeny', [], ['allowed', 'explicitDeny']]]);
    expect(await simulated(['i-2'])).toEqual([['implicitDeny', [], ['implicitDeny', 'explicitDeny']]]);
    expect(await simulated(undefined)).toEqual([['implicitDeny', [tag], ['implicitDeny', 'explicitDeny']]]);
  });

  it('lists roles page by page', async () => {
    await create('AWS::IAM::Role', { RoleName: 'S', AssumeRolePolicyDocument: trusting(root) });
    const client = new IAMClient(config());
    const first = await client.send(new ListRolesCommand({ MaxItems: 1 }));
    const second = await client.send(new ListRolesCommand({ MaxItems: 1, Marker: first.Marker }));
    expect([first, second].map(({ Roles, IsTruncated }) => [Roles?.[0]?.RoleName, IsTruncated])).toEqual([
      ['R', true],
      ['S', false],
    ]);
  });
});

describe('a session', () => {
  const command = (RoleArn: string, more = {}) => new AssumeRoleCommand({ RoleArn, RoleSessionName: 'drill', ...more });

  it('is given to whom the trust policy names, and acts as the role', async () => {
    await create('AWS::IAM::Role', { RoleName: 'Caller', AssumeRolePolicyDocument: trusting(root) });
    await create('AWS::IAM::Role', { RoleName: 'Target', AssumeRolePolicyDocument: trusting(roleArn('Caller')) });
    const { Credentials, AssumedRoleUser } = await new STSClient(as('Caller')).send(command(roleArn('Target')));
    const Arn = `arn:aws:sts::${ACCOUNT}:assumed-role/Target/drill`;
    expect(AssumedRoleUser).toMatchObject({ Arn });
    expect(Credentials?.Expiration).toEqual(new Date(home.clock.now() + 3_600_000));
    const issued = {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    };
    const identity = await new STSClient(config(issued)).send(new GetCallerIdentityCommand({}));
    expect(identity).toMatchObject({ Arn, Account: ACCOUNT, UserId: expect.stringMatching(/^AROA\w{17}:drill$/) });
  });

  it.each([
    { case: 'a role that the trust policy does not name', trust: roleArn('Other'), name: 'AccessDenied' },
    { case: 'a role without permission, where trust is left to the account', trust: root, name: 'AccessDenied' },
    {
      case: 'more time than the role allows',
      trust: roleArn('Caller'),
      more: { DurationSeconds: 7200 },
      name: 'ValidationError',
    },
    {
      case: 'a malformed session name',
      trust: roleArn('Caller'),
      more: { RoleSessionName: 'a b' },
      name: 'ValidationError',
    },
  ])('is refused for $case', async ({ trust, more, name }) => {
    await create('AWS::IAM::Role', { RoleName: 'Caller', AssumeRolePolicyDocument: trusting(root) });
    await create('AWS::IAM::Role', { RoleName: 'Target', AssumeRolePolicyDocument: trusting(trust) });
    await expect(new STSClient(as('Caller')).send(command(roleArn('Target'), more))).rejects.toMatchObject({ name });
  });

  it('is the operator’s account for a key that the cloud did not issue', async () => {
    const identity = await new STSClient(config()).send(new GetCallerIdentityCommand({}));
    expect(identity).toMatchObject({ Arn: root, Account: ACCOUNT, UserId: ACCOUNT });
  });
});
