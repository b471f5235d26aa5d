/** The stacks of a configuration that names another account for the cluster's drill, beside those that name none. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { planOf } from '../../cli/installation.ts';
import { namesOf } from '../../config/names.ts';
import { production } from '../../config/production.ts';
import { parsePolicy } from '../../local/authorization/policy.ts';
import { simulate } from '../../local/authorization/simulate.ts';
import { permissionsOf, trustOf } from '../../workload/infrastructure/drill-account.ts';
import { assemblyOf } from '../support/assembly-of.ts';
import { roleOf, rolesOf, whoMay } from './roles.ts';
import { only, resourcesOf, type Stack, stacks } from './stacks.ts';

const drillAccount = {
  id: '999900001111',
  roleArn: 'arn:aws:iam::999900001111:role/stocker-dr-drill',
  stateBuckets: { primary: 'drills-state-us-east-1', dr: 'drills-state-us-west-2' },
};
const configuration = { ...production, cluster: { ...production.cluster, drillAccount } };
const { account, cluster } = configuration;
const directory = mkdtempSync(join(tmpdir(), 'stocker-dr-drill-account-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const assembly = assemblyOf(configuration, directory);
const elsewhere = (['primary', 'dr'] as const).map((role): Stack => {
  const { region } = configuration[role];
  const name = namesOf(configuration).stack(region);
  const template = JSON.parse(readFileSync(join(assembly, `${name}.template.json`), 'utf8'));
  return { name, environment: 'production', role, region, configuration, template };
});
const actors = [
  ...['cluster-drill/jobs', 'cluster/assess-cluster', 'cluster/await-cluster', 'cluster/validate-application'],
  'incident/clean-up-stopped',
];
const inAccount = (region: string, resource: string, of = account) => `arn:aws:eks:${region}:${of}:${resource}`;

describe.each(elsewhere)('the stack of $region with an account for drills', (stack) => {
  const { region } = stack;
  it('lets exactly those who act on a drill’s cluster become that one role, and nobody any other', () => {
    expect(whoMay(stack, 'sts:AssumeRole', drillAccount.roleArn)).toEqual(actors);
    const others = rolesOf(stack).flatMap(({ statements }) =>
      statements.filter(
        ({ Effect, Resource }) => Effect === 'Allow' && Resource.some((arn) => arn.includes(drillAccount.id)),
      ),
    );
    expect(others.flatMap(({ Action, Resource }) => [...Action, ...Resource])).toEqual(
      actors.flatMap(() => ['sts:AssumeRole', drillAccount.roleArn]),
    );
  });
  it('lets nobody make or see a drill’s cluster in production’s account any more', () => {
    for (const action of ['eks:CreateCluster', 'eks:DescribeCluster', 'eks:DeleteCluster', 'eks:CreateAccessEntry'])
      expect(whoMay(stack, action, inAccount(region, `cluster/${cluster.drill.cluster}`))).toEqual([]);
    expect(
      whoMay(
        stack,
        's3:PutObject',
        `arn:aws:s3:::${stack.configuration[stack.role].terraformStateBucket}/${cluster.drill.stateKey}`,
      ),
    ).toEqual([]);
  });
  it('still forbids the drill’s build production’s resources', () => {
    const { statements } = roleOf(stack, 'cluster-drill/jobs');
    const never = statements.find(({ Sid }) => Sid === 'NeverProduction');
    expect(never).toMatchObject({ Effect: 'Deny' });
    expect(never?.Resource).toContain(inAccount(region, `cluster/${cluster.primary.cluster}`));
  });
  it('tells the drill’s build alone whom to become', () => {
    const variablesOf = (name: string) =>
      Object.fromEntries(
        only(
          stack,
          'AWS::CodeBuild::Project',
          ({ Name }) => Name === name,
        ).properties.Environment.EnvironmentVariables.map(({ Name, Value }: { Name: string; Value: string }) => [
          Name,
          Value,
        ]),
      );
    const told = { DRILL_ROLE: drillAccount.roleArn, DRILL_ACCOUNT: drillAccount.id };
    expect(variablesOf('stocker-dr-production-cluster-drill-job')).toMatchObject(told);
    expect(variablesOf('stocker-dr-production-cluster-job')).not.toHaveProperty('DRILL_ROLE');
  });
  it('has no resource more', () => {
    const usual = stacks.find(({ name }) => name === stack.name);
    // What the command line adds by itself is of no account.
    const count = (of: Pick<typeof stack, 'template'> | undefined) =>
      Object.values(of?.template.Resources ?? {}).filter(({ Type }) => Type !== 'AWS::CDK::Metadata').length;
    expect(count(stack)).toBe(count(usual));
  });
});

it.each(stacks)('(control) without one nobody becomes anybody, and $name makes the cluster itself', (stack) => {
  const { cluster: own, account: of } = stack.configuration;
  expect(rolesOf(stack).flatMap(({ statements }) => statements.flatMap(({ Action }) => Action))).not.toContain(
    'sts:AssumeRole',
  );
  const made = whoMay(stack, 'eks:CreateCluster', inAccount(stack.region, `cluster/${own.drill.cluster}`, of));
  expect(made).toEqual(['cluster-drill/jobs']);
  const projects = resourcesOf(stack, 'AWS::CodeBuild::Project').map(([, { Properties }]) => Properties);
  expect(projects.length).toBeGreaterThan(1);
  expect(projects.flatMap(({ Environment }) => Environment?.EnvironmentVariables ?? [])).not.toContainEqual(
    expect.objectContaining({ Name: 'DRILL_ROLE' }),
  );
});

describe('the role in the account of drills', () => {
  const plan = {
    ...planOf(configuration),
    ...{ id: drillAccount.id, roleArn: drillAccount.roleArn, drillCluster: cluster.drill.cluster },
    ...{ lockTable: cluster.lockTable, stateKey: cluster.drill.stateKey },
    ...{ endpointParameter: configuration.canary.databaseEndpointParameter, secretName: 'login' },
    states: [
      { region: 'us-east-1', bucket: drillAccount.stateBuckets.primary },
      { region: 'us-west-2', bucket: drillAccount.stateBuckets.dr },
    ],
  };
  it('has in the runbook the policies that it is rehearsed with', () => {
    const runbook = readFileSync(join(import.meta.dirname, '../../docs/runbooks/cluster.md'), 'utf8');
    const blocks = [...runbook.matchAll(/```json\n([\s\S]*?)```/g)].map(([, block = '']) => JSON.parse(block));
    expect(blocks).toEqual([trustOf(plan), permissionsOf(plan)]);
  });
  it('may make and destroy the drill’s cluster, and nothing of production’s', () => {
    const may = (action: string, resource: string, of: string) =>
      simulate([parsePolicy(permissionsOf(plan), 'identity')], action, resource, { 'aws:ResourceAccount': of })
        .decision;
    const drill = inAccount('us-east-1', `cluster/${cluster.drill.cluster}`, drillAccount.id);
    expect(may('eks:DeleteCluster', drill, drillAccount.id)).toBe('allowed');
    expect(may('eks:DeleteCluster', drill, account)).toBe('explicitDeny');
    expect(may('ec2:DescribeVpcs', '*', account)).toBe('explicitDeny');
    expect(may('eks:DeleteCluster', inAccount('us-east-1', 'cluster/other', drillAccount.id), drillAccount.id)).toBe(
      'implicitDeny',
    );
    expect(may('rds:DeleteDBInstance', '*', drillAccount.id)).toBe('implicitDeny');
  });
});

it('carries where drills go in the settings of the functions', () => {
  const bundle = join(directory, 'bundle');
  const settings =
    readdirSync(bundle, { recursive: true })
      .map(String)
      .find((file) => file.endsWith('settings.json')) ?? '';
  expect(JSON.parse(readFileSync(join(bundle, settings), 'utf8')).cluster.drillAccount).toEqual(drillAccount);
});
