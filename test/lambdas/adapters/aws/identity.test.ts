/** Who acts on a drill's cluster in another account: the real SDK against a cloud of two accounts, with the role that the runbook asks for. */
import { CreateClusterCommand, EKSClient } from '@aws-sdk/client-eks';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareDrillAccount } from '../../../../cli/installation.ts';
import { settingsOf } from '../../../../config/names.ts';
import { production } from '../../../../config/production.ts';
import type { DrillAccount, Settings } from '../../../../core/settings.ts';
import { identityOf, own } from '../../../../lambdas/adapters/aws/identity.ts';
import { clusterView } from '../../../../lambdas/adapters/kubernetes/cluster-view.ts';
import { type Cloud, startCloud } from '../../../../local/cloud.ts';

const drillAccount = {
  id: '999900001111',
  roleArn: 'arn:aws:iam::999900001111:role/stocker-dr-drill',
  stateBuckets: { primary: 'drills-state-us-east-1', dr: 'drills-state-us-west-2' },
};
const configuration = { ...production, cluster: { ...production.cluster, drillAccount } };
const { account, primary, dr, cluster } = configuration;
const { region } = primary;
const RoleName = 'StockerDr-production-us-east-1-step';

let cloud: Cloud;
let before: Record<string, string | undefined> = {};
const named = ['AWS_ENDPOINT_URL', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'] as const;

beforeAll(async () => {
  cloud = await startCloud({ assemblies: [], account, accounts: [drillAccount.id], regions: [region, dr.region] });
  await prepareDrillAccount(configuration, cloud);
  const policy = (...Statement: object[]) => JSON.stringify({ Version: '2012-10-17', Statement });
  const Principal = { AWS: `arn:aws:iam::${account}:root` };
  const trust = policy({ Effect: 'Allow', Principal, Action: 'sts:AssumeRole' });
  await cloud.call('iam', 'CreateRole', { RoleName, AssumeRolePolicyDocument: trust }, region);
  const PolicyDocument = policy(
    { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: drillAccount.roleArn },
    { Effect: 'Allow', Action: 'eks:DescribeCluster', Resource: '*' },
  );
  await cloud.call('iam', 'PutRolePolicy', { RoleName, PolicyName: 'own', PolicyDocument }, region);
  const operator = new STSClient({
    endpoint: cloud.endpoint,
    region,
    credentials: { accessKeyId: 'operator', secretAccessKey: 'operator' },
  });
  const assumed = new AssumeRoleCommand({
    RoleArn: `arn:aws:iam::${account}:role/${RoleName}`,
    RoleSessionName: 'step',
  });
  const { Credentials } = await operator.send(assumed);
  before = Object.fromEntries(named.map((name) => [name, process.env[name]]));
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: cloud.endpoint,
    AWS_ACCESS_KEY_ID: Credentials?.AccessKeyId,
    AWS_SECRET_ACCESS_KEY: Credentials?.SecretAccessKey,
    AWS_SESSION_TOKEN: Credentials?.SessionToken,
  });
});
afterAll(async () => {
  for (const [name, value] of Object.entries(before)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  await cloud?.stop();
});

/** What a function in the primary Region has at hand, where drills have this account. */
function runtimeOf(named: DrillAccount | undefined) {
  const settings: Settings = settingsOf({ ...production, cluster: { ...production.cluster, drillAccount: named } });
  return { settings, here: settings.primary, clock: { now: () => new Date() } };
}
const rt = runtimeOf(drillAccount);
const drill = (id: string) => ({ id, mode: 'drill' as const });

describe('who acts on a drill’s cluster', () => {
  it('sees what is in that account, by EKS and by the Kubernetes API; the function itself does not', async () => {
    const { clusterName, roleArn } = {
      clusterName: cluster.drill.cluster,
      roleArn: `arn:aws:iam::${drillAccount.id}:role/x`,
    };
    const identity = identityOf(drill('drill-1'), rt);
    // Made by the role, as its build does.
    const made = {
      name: clusterName,
      roleArn,
      resourcesVpcConfig: {},
      accessConfig: { authenticationMode: 'API' as const },
    };
    const credentials = (await identity()) ?? expect.unreachable('it is nobody else');
    await new EKSClient({ region, credentials }).send(new CreateClusterCommand(made));
    const there = clusterView(clusterName, rt, identity);
    expect(await there.status()).toBe('ACTIVE');
    expect(await there.nodes()).toEqual({ answer: 'given', value: [] });
    const here = clusterView(clusterName, rt, own);
    expect(await here.status()).toBeUndefined();
    expect(await here.nodes()).toMatchObject({ answer: 'silent', why: expect.stringContaining('not there') });
  });

  it('assumes the role once for an incident, and again for the next', async () => {
    const [one, again, next] = ['drill-2', 'drill-2', 'drill-3'].map((id) => identityOf(drill(id), rt));
    expect(await again?.()).toBe(await one?.());
    expect(await next?.()).not.toBe(await one?.());
  });

  it('is the function itself in a recovery, and where no account is named', async () => {
    expect(await identityOf({ id: 'recovery-1', mode: 'recovery' }, rt)()).toBeUndefined();
    expect(await identityOf(drill('drill-4'), runtimeOf(undefined))()).toBeUndefined();
  });

  it.each([
    [
      'STS says that it is another account’s',
      { ...drillAccount, id: '123123123123' },
      'drill-5',
      /belong in account 123123123123/,
    ],
    ['its trust does not admit that session', drillAccount, 'recovery-5', /no role trust policy allows/],
    [
      'the function may assume that one only',
      { ...drillAccount, roleArn: `arn:aws:iam::${drillAccount.id}:role/administrator` },
      'drill-6',
      /not authorized to perform: sts:AssumeRole/,
    ],
  ])('is refused where %s', async (_, wrong, id, message) => {
    await expect(identityOf(drill(id), runtimeOf(wrong))()).rejects.toMatchObject({
      name: 'DrillAccountRefused',
      message: expect.stringMatching(message),
    });
  });
});
