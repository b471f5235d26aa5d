/** What starts a recovery of configuration, and what does not; the daily comparison; Terraform’s debt. */
import { describe, expect, it, test } from 'vitest';
import type { BuildResults } from '../../../core/cluster/ports.ts';
import { acceptConfigurationRequest } from '../../../core/configuration/accept-recovery.ts';
import { openDebt } from '../../../core/configuration/debt.ts';
import { reportDrift } from '../../../core/configuration/report-drift.ts';
import { settleDebt } from '../../../core/configuration/settle-debt.ts';
import { ConfigurationSignal, triageChange } from '../../../core/configuration/triage-change.ts';
import { watchConfiguration } from '../../../core/configuration/watch-configuration.ts';
import { secretNames } from '../../../core/settings.ts';
import {
  FakeAnnouncer,
  FakeClock,
  FakeControl,
  FakeExecutions,
  FakeIncidents,
  makeIncident,
  makeRecord,
  settings,
} from '../fakes.ts';
import { FakeDebts, makeWorld, detectedAt as now, set, zone } from './fakes.ts';

const [secret = ''] = secretNames(settings);
const alice = { arn: 'arn:aws:iam::111122223333:user/alice' };
const call = (service: string, eventName: string, requestParameters: object, more: object = {}) => ({
  'detail-type': 'AWS API Call via CloudTrail',
  source: `aws.${service}`,
  time: now,
  detail: { eventSource: `${service}.amazonaws.com`, eventName, requestParameters, userIdentity: alice, ...more },
});
const deleted = (name: string) => call('secretsmanager', 'DeleteSecret', { secretId: name });
const ours = {
  userIdentity: {
    arn: 'arn:aws:sts::111122223333:assumed-role/StockerDr-staging-us-east-1-x/y',
    sessionContext: { sessionIssuer: { userName: 'StockerDr-staging-us-east-1-x' } },
  },
};
const key = 'arn:aws:kms:us-east-1:111122223333:key/1';

function triaging(
  change: {
    active?: object;
    keys?: () => Promise<never>;
    recent?: ReturnType<typeof makeRecord>[];
    automatic?: 'ask' | 'auto' | 'off';
  } = {},
) {
  const control = new FakeControl();
  if (control.active) control.active = { ...control.active, ...change.active };
  const incidents = new FakeIncidents();
  incidents.list = async () => change.recent ?? [];
  const executions = new FakeExecutions();
  const announcer = new FakeAnnouncer();
  const context = {
    settings: {
      ...settings,
      automatic: { ...settings.automatic, database: change.automatic ?? 'off', cluster: change.automatic ?? 'off' },
    } as const,
    here: settings.primary,
    clock: new FakeClock(now),
    control,
    incidents,
    alarms: { state: async () => ({ value: 'ALARM' as const, since: now }) },
    executions,
    announcer,
    keys: { list: change.keys ?? (async () => [{ use: 'the database', arn: key, state: 'Enabled' }]) },
  };
  return { announcer, incidents, triage: (event: object) => triageChange(ConfigurationSignal.parse(event), context) };
}

describe('a change of what is protected starts a recovery that asks', () => {
  const batch = (name: string) => ({
    hostedZoneId: 'Z1',
    changeBatch: { changes: [{ action: 'DELETE', resourceRecordSet: { name: `${name}.`, type: 'A' } }] },
  });
  it.each([
    ['what a recovery left', call('rds', 'DeleteDBInstance', { dBInstanceIdentifier: 'stocker-pro-staging-former' })],
    ['its successor', call('rds', 'ModifyDBInstance', { dBInstanceIdentifier: 'stocker-pro-staging-1a2b3c4d' })],
    ['a record', call('route53', 'ChangeResourceRecordSets', batch(`api.${zone}`))],
    ['the zone', call('route53', 'DeleteHostedZone', { id: 'Z1' })],
    [
      'a node group',
      call('eks', 'DeleteNodegroup', { clusterName: settings.cluster.primary.cluster, nodegroupName: 'general' }),
    ],
    ['a bucket', call('s3', 'DeleteBucket', { bucketName: settings.primary.dumpBucket })],
    ['a secret', deleted(secret)],
    ['a secret by its ARN', deleted(`arn:aws:secretsmanager:us-east-1:111122223333:secret:${secret}-AbCdEf`)],
    ['a key', call('kms', 'ScheduleKeyDeletion', { keyId: '1' })],
    ['what CloudTrail does not name', call('secretsmanager', 'DeleteSecret', {})],
  ])('%s', async (_, event) => {
    const { triage } = triaging();
    const decision = await triage(event);
    expect(decision).toMatchObject({ verdict: 'start', reasons: [expect.stringMatching(/asks before/)] });
    expect(decision.execution).toContain('stocker-dr-staging-configuration-recovery');
  });
});

test.each([
  ['database', call('rds', 'DeleteDBInstance', { dBInstanceIdentifier: 'stocker-pro-staging' })],
  ['cluster', call('eks', 'DeleteCluster', { name: settings.cluster.primary.cluster })],
])('a deleted %s is brought back by its own recovery, for which its alarms ring too', async (scenario, event) => {
  for (const automatic of ['ask', 'auto'] as const) {
    const { triage, incidents } = triaging({ automatic });
    expect((await triage(event)).execution).toContain(`stocker-dr-staging-${scenario}-recovery`);
    expect(incidents.claims).toEqual([scenario]);
  }
  // Where that one is off, a person is asked all the same.
  const off = triaging({ automatic: 'off' });
  expect((await off.triage(event)).execution).toContain('stocker-dr-staging-configuration-recovery');
});

test('a deleted node group is asked about, and whichever rings first of that and the lost cluster starts', async () => {
  const nodes = call('eks', 'DeleteNodegroup', {
    clusterName: settings.cluster.primary.cluster,
    nodegroupName: 'general',
  });
  const { triage, incidents } = triaging({ automatic: 'ask' });
  incidents.start = { name: 'cluster-lost', at: now };
  expect(await triage(nodes)).toMatchObject({ verdict: 'join', execution: 'cluster-lost' });
  expect(incidents.claims).toEqual(['cluster']);
});
test('what was deleted is asked about where CloudTrail does not name it', async () => {
  const decision = await triaging({ automatic: 'auto' }).triage(call('eks', 'DeleteCluster', {}));
  expect(decision.execution).toContain('configuration-recovery');
});

describe('a change is recorded and starts nothing', () => {
  it.each([
    ['by a role of this product', { ...deleted(secret), detail: { ...deleted(secret).detail, ...ours } }, /own role/],
    [
      'that failed',
      call('secretsmanager', 'DeleteSecret', { secretId: secret }, { errorCode: 'AccessDenied' }),
      /failed/,
    ],
    ['of another secret', deleted('somebody/else'), /not protected/],
    ['of another database', call('rds', 'DeleteDBInstance', { dBInstanceIdentifier: 'shop' }), /not protected/],
    ['of another bucket', call('s3', 'DeleteBucket', { bucketName: 'x' }), /not protected/],
    ['of another key', call('kms', 'DisableKey', { keyId: '2' }), /not protected/],
    ['that is old', { ...deleted(secret), time: '2026-11-22T19:00:00.000Z' }, /old/],
  ])('%s', async (_, event, why) => {
    const { triage, incidents } = triaging();
    const decision = await triage(event);
    expect(decision.verdict).toBe('record');
    expect(decision.reasons.join()).toMatch(why);
    expect(incidents.decisions).toHaveLength(1);
  });
  it('nobody is told of a call of our own', async () => {
    const { triage, announcer } = triaging();
    await triage({ ...deleted(secret), detail: { ...deleted(secret).detail, ...ours } });
    expect(announcer.announced).toEqual([]);
  });
});

test('a key is taken as protected where nobody can say which are', async () => {
  const { triage } = triaging({ keys: () => Promise.reject(new Error('silent')) });
  expect(await triage(call('kms', 'DisableKey', { keyId: '2' }))).toMatchObject({ verdict: 'start' });
});
test('a change joins the incident that is open', async () => {
  const open = makeRecord({ status: 'open' }, makeIncident({ mode: 'recovery' }));
  expect(await triaging({ recent: [open] }).triage(deleted(secret))).toMatchObject({ verdict: 'join' });
});
test('Route 53’s calls, which arrive in one Region alone, are told where production is in the other', async () => {
  const elsewhere = { active: { region: settings.dr.region } };
  const zoneGone = call('route53', 'DeleteHostedZone', { id: 'Z1' });
  const { triage, announcer } = triaging(elsewhere);
  expect(await triage(zoneGone)).toMatchObject({
    verdict: 'record',
    reasons: [expect.stringMatching(/a person starts/)],
  });
  expect(announcer.announced).toHaveLength(1);
  expect(await triaging(elsewhere).triage(deleted(secret))).toMatchObject({ verdict: 'record', quiet: true });
});
test('the alarm of a drift starts the same recovery', async () => {
  const event = {
    'detail-type': 'CloudWatch Alarm State Change',
    time: now,
    detail: { alarmName: 'stocker-dr-staging-configuration-drift' },
  };
  expect((await triaging().triage(event)).execution).toContain('configuration-recovery');
});

describe('the daily watch', () => {
  const started: Readonly<Record<string, string>>[] = [];
  const watching = async () => {
    const world = await makeWorld();
    const put: { name: string; value: number }[] = [];
    const debts = new FakeDebts();
    started.length = 0;
    const builds = {
      start: async (_: string, __: string, variables: Readonly<Record<string, string>>) => {
        started.push(variables);
        return 'build-1';
      },
    };
    const metrics = { put: async (values: readonly { name: string; value: number }[]) => void put.push(...values) };
    return { ...world, put, debts, watch: () => watchConfiguration({ ...world.context, debts, builds, metrics }) };
  };
  it('records the zone, says what it has lost once, and starts the comparison', async () => {
    const { watch, zones, recordings, context } = await watching();
    await zones.remove(zone, [set('api')]);
    expect(await watch()).toEqual({ build: 'build-1' });
    expect(started[0]).toMatchObject({ ACTION: 'find', JOB: 'configuration/report-drift', MANIFESTS: 'none' });
    expect(JSON.parse(started[0]?.INPUT ?? '').lost).toEqual([expect.stringMatching(/^api.* is gone/)]);
    expect([...recordings.all.values()].at(-1)?.recording.lost).toEqual([`api.${zone} A`]);
    context.clock.advance(86_400_000);
    await watch();
    expect(JSON.parse(started[1]?.INPUT ?? '').lost).toEqual([]);
  });
  it('rests where production is in the other Region, and records without comparing while the debt is open', async () => {
    const there = await watching();
    if (there.control.active) there.control.active = { ...there.control.active, region: settings.dr.region };
    expect(await there.watch()).toMatchObject({ rests: expect.stringMatching(/elsewhere/) });
    expect(there.put).toMatchObject([{ name: 'ConfigurationChecked' }]);
    const owing = await watching();
    await owing.debts.open(debtOf(owing.control));
    expect(await owing.watch()).toMatchObject({ rests: expect.stringMatching(/debt/) });
    expect(started).toEqual([]);
    expect(owing.recordings.all.size).toBe(2);
  });
});

const planOf = (...types: string[]) => ({
  resource_changes: types.map((type) => ({
    address: `${type}.this`,
    type,
    change: { actions: ['update'], after: {} },
  })),
});
const results = (change: Partial<BuildResults> = {}): BuildResults => ({
  failed: () => undefined,
  problems: () => ['Error: no such instance'],
  plan: () => planOf(),
  rendered: () => '',
  differences: () => '',
  build: () => ({ arn: 'arn:build', log: 'log' }),
  ...change,
});

describe('a comparison', () => {
  const compare = async (change: Partial<BuildResults>, lost: string[] = []) => {
    const put: Record<string, number> = {};
    const metrics = {
      put: async (values: readonly { name: string; value: number }[]) => {
        for (const { name, value } of values) put[name] = value;
      },
    };
    return { ...(await reportDrift({ lost }, { results: results(change), metrics })), put };
  };
  it.each<[string, Partial<BuildResults>, string[], number]>([
    ['nothing', {}, [], 0],
    ['what Terraform would do', { plan: () => planOf('aws_eks_node_group') }, [], 1],
    ['an object', { differences: () => 'diff deployment/stocker-api\n  spec' }, [], 1],
    ['a lost record', {}, ['api is gone'], 1],
  ])('tells %s', async (_, change, lost, drift) => {
    expect((await compare(change, lost)).put).toEqual({ ConfigurationDrift: drift, ConfigurationChecked: 1 });
  });
  it.each<[string, Partial<BuildResults>]>([
    ['Git that is unreachable', { failed: () => 'SourceUnreachable' }],
    ['a cluster that does not answer', { differences: () => undefined }],
  ])('says nothing of %s', async (_, change) => {
    await expect(compare(change)).rejects.toMatchObject({ name: 'ConfigurationUnknown' });
  });
  it('names objects as kubectl does, and as the stand-in does', async () => {
    const text =
      'diff -u -N /tmp/LIVE-1/apps.v1.Deployment.n.api /tmp/MERGED-2/apps.v1.Deployment.n.api\n-x\ndiff service/api\n';
    expect((await compare({ differences: () => text })).drift).toEqual(['apps.v1.Deployment.n.api', 'service/api']);
  });
});

function debtOf(control: FakeControl) {
  const { resourceId = '', region = '' } = control.active ?? {};
  const names = { import: 'new', old: 'stocker-pro-staging', parameter: '/p', incidentId: 'recovery-1' };
  return { version: 1 as const, resourceId, region, ...names, since: now };
}

describe('Terraform’s debt', () => {
  const owing = async () => {
    const control = new FakeControl();
    const debts = new FakeDebts();
    await debts.open(debtOf(control));
    const settle = (change: Partial<BuildResults> = {}, resourceId = control.active?.resourceId ?? '') =>
      settleDebt({ resourceId }, { clock: new FakeClock(now), control, debts, results: results(change) });
    return { control, debts, settle };
  };
  it('is open for what is production, and for nothing else', async () => {
    const { control, debts } = await owing();
    expect(await openDebt(control.active, debts)).toBeDefined();
    expect(await openDebt({ resourceId: 'db-OTHER' }, debts)).toBeUndefined();
  });
  it('is closed by an empty plan alone', async () => {
    const { control, debts, settle } = await owing();
    for (const [change, why] of [
      [{ plan: () => planOf('aws_db_instance') }, /would still: update aws_db_instance/],
      [{ failed: () => 'TerraformFailed' }, /no such instance/],
      [{ plan: () => undefined }, /no plan/],
    ] as const)
      await expect(settle(change)).rejects.toMatchObject({ name: 'DebtRemains', message: expect.stringMatching(why) });
    await expect(settle({}, 'db-OTHER')).rejects.toMatchObject({ name: 'DebtRemains' });
    expect(await openDebt(control.active, debts)).toBeDefined();
    expect(await settle()).toEqual({ closedAt: now });
    expect(await openDebt(control.active, debts)).toBeUndefined();
    expect(await settle()).toEqual({ closedAt: undefined });
  });
  it('refuses a recovery of configuration, naming what closes it; not a drill', async () => {
    const { control, debts } = await owing();
    const execution = { arn: 'arn:aws:states:us-east-1:111122223333:execution:m:e', startedAt: now };
    const accept = (request: object) =>
      acceptConfigurationRequest(
        { request: { reason: 'x', ...request }, execution },
        {
          ...{ settings, here: settings.primary, clock: new FakeClock(now), control, debts },
          executions: new FakeExecutions(),
          incidents: new FakeIncidents(),
          alarms: { ringing: async () => [] },
        },
      );
    const recovery = { mode: 'recovery', confirm: 'staging' };
    await expect(accept(recovery)).rejects.toMatchObject({
      name: 'DebtOpen',
      message: expect.stringMatching(/new.*dr -- debt close --environment staging/),
    });
    expect((await accept({ mode: 'drill' })).incident).toMatchObject({ scenario: 'configuration', mode: 'drill' });
    await debts.close(control.active?.resourceId ?? '', now);
    const { incident } = await accept({ ...recovery, restoreTo: '2026-11-22T13:05:00Z' });
    expect(incident).toMatchObject({ target: 'configuration of staging', restoreTo: '2026-11-22T13:05:00Z' });
    await expect(accept({ ...recovery, restoreTo: { snapshot: 's' } })).rejects.toMatchObject({
      name: 'InvalidRequest',
    });
  });
});
