/** What a recovery depends on, looked at on a whole installation: all is ready, and then one thing after another is not. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, test } from 'vitest';
import { exitCodes } from '../../cli/exit-codes.ts';
import type { ReadinessRecord } from '../../core/readiness/contracts.ts';
import type { FaultRule } from '../../local/faults.ts';
import { AwsError } from '../../local/kernel.ts';
import { eventually } from '../support/rehearsal.ts';
import { faults, quotas } from './readiness/faults.ts';
import { call, dr, look, onOneInstallation, replica, run, site, wrongIn } from './readiness/site.ts';

onOneInstallation();

test('all is ready, and the Region of production leaves it to the other one', async () => {
  const record = await look();
  expect(record.checks.filter(({ check }) => check in wrongIn(record))).toEqual([]);
  expect(record).toMatchObject({
    verdict: 'ready',
    run: { region: dr, activeRegion: site.region },
    scenarios: [
      { scenario: 'database', score: 100 },
      { scenario: 'region', score: 100 },
    ],
  });
  // Control: there was something to look at.
  const evidence = Object.fromEntries(record.checks.map((each) => [each.check, each.evidence]));
  expect(evidence).toMatchObject({
    'replica-lag': { heartbeat: expect.any(String) },
    'certificate-standby': { until: expect.stringMatching(/^20\d\d-/) },
    images: { checked: 1 },
    'terraform-state': {
      states: [
        { found: 'versioned' },
        { state: expect.stringMatching(/terraform-linux-arm64\.zip$/), found: 'versioned' },
      ],
    },
    reach: { reachedAt: expect.any(String) },
    'drill-database': { release: expect.stringMatching(/^[0-9a-f]{16}$/) },
    'cluster-access': { answer: 200 },
    dns: { records: expect.arrayContaining([expect.objectContaining({ routing: 'PRIMARY' })]) },
  });
  expect(Number(evidence.permissions?.simulated)).toBeGreaterThan(500);
  const there = await run({}, site.region);
  expect(JSON.parse(there.output ?? '')).toEqual({ skipped: expect.stringContaining(dr) });
});

test('every function that a recovery needs is called once a week, to do nothing', async () => {
  const prefix = `${site.names.prefix}-`;
  const { Functions } = await call('lambda', 'ListFunctions', { MaxItems: 50 });
  expect(Functions.length).toBeGreaterThan(10);
  const { Payload } = await call('lambda', 'Invoke', { FunctionName: `${prefix}readiness-wake-functions` });
  const { woken } = JSON.parse(Buffer.from(Payload).toString());
  expect(woken).toBeGreaterThan(60);
  // Never called but for this: production is in the other Region, and nothing has happened here.
  const called = `${prefix}region-fence-primary`;
  const Dimensions = [{ Name: 'FunctionName', Value: called }];
  await eventually('a call of a function that nothing else calls', async () => {
    const until = Date.now() + 60_000;
    const { Datapoints } = await call('cloudwatch', 'GetMetricStatistics', {
      ...{ Namespace: 'AWS/Lambda', MetricName: 'Invocations', Dimensions, Statistics: ['Sum'], Period: 60 },
      ...{ StartTime: new Date(until - 3_600_000), EndTime: new Date(until) },
    });
    return Datapoints.length > 0;
  });
});

/** Heartbeats stop here, for CloudWatch counts by the minute: meanwhile other checks are turned, and the last test sees it. */
const othersIn = (record: ReadinessRecord) => {
  const { heartbeat: _, ...others } = wrongIn(record);
  return others;
};

describe('a fault turns its check, and no other', () => {
  beforeAll(() => site.sql('ALTER ROLE stocker_dr_heartbeat NOLOGIN'));

  test.each(faults)('$check: $fault', async ({ check, break: breakIt, mend, input = {} }) => {
    await breakIt();
    const broken = await look(input).finally(mend);
    expect(othersIn(broken)).toEqual({ [check]: 'not-ready' });
    expect(broken.verdict).toBe('not-ready');
    expect(othersIn(await look())).toEqual({});
  });
});

const dark = (where: NonNullable<FaultRule['where']>): Pick<FaultRule, 'where' | 'effect'> => ({
  where,
  effect: { kind: 'throw', error: new AwsError('ServiceUnavailable', 'dark') },
});
const dependsOnPrimary = [
  'restore-window',
  'backup',
  'keys',
  'secrets',
  'quotas',
  'subscriptions',
  'drill-database',
  'drill-region',
  'release-database',
  'release-region',
];

const unknownHeartbeat = expect.objectContaining({ check: 'heartbeat', verdict: 'unknown' });

describe('what does not answer is unknown, and nothing else changes', () => {
  test.each<{ silent: string; rule: () => FaultRule; checks: readonly string[] }>([
    {
      silent: 'KMS of the DR Region',
      rule: () => ({ service: 'kms', operation: 'DescribeKey', ...dark((_, { region }) => region === dr) }),
      checks: ['keys-standby'],
    },
    {
      silent: 'a function that looks',
      rule: () => ({
        service: 'lambda',
        operation: 'Invoke',
        ...dark(({ FunctionName = '' }) => FunctionName.includes('look-at-terraform')),
      }),
      checks: ['terraform-state'],
    },
    {
      silent: 'the whole Region of production',
      rule: () => ({ service: '*', operation: '*', ...dark((_, { region }) => region === site.region) }),
      // Route 53's control plane is there as well, wherever one asks from.
      checks: [...dependsOnPrimary, 'dns'],
    },
  ])('$silent', async ({ rule, checks }) => {
    site.inject(rule());
    const record = await look();
    expect(othersIn(record)).toEqual(Object.fromEntries(checks.map((check) => [check, 'unknown'])));
    const ofPrimary = record.checks.filter(({ dependsOn }) => dependsOn === 'primary').map(({ check }) => check);
    if (!checks.includes('dns')) return;
    // Without strict fencing there is no tenure to know of.
    expect(ofPrimary.toSorted()).toEqual([...dependsOnPrimary, 'heartbeat', 'tenure'].toSorted());
    expect(record).toMatchObject({ verdict: 'unknown', checks: expect.arrayContaining([unknownHeartbeat]) });
  });
});

test('`dr readiness` looks, prints the table and ends with what it found', async () => {
  const { cloud, connection } = site.installation;
  const bin = join(import.meta.dirname, '../../bin/dr.ts');
  const child = spawn(process.execPath, [bin, 'readiness', '--run'], {
    env: {
      PATH: process.env.PATH,
      HOME: cloud.dataDirectory,
      AWS_ENDPOINT_URL: cloud.endpoint,
      AWS_ACCESS_KEY_ID: connection.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: connection.credentials.secretAccessKey,
    },
  });
  quotas().set('rds', 'L-272F1212', 1);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const said = await text(child.stdout);
  expect(await ended).toBe(exitCodes.failed);
  quotas().set('rds', 'L-272F1212', 100);
  expect(said).toMatch(/^\nReadiness of production, seen from us-west-2 at /);
  expect(said).toMatch(/quotas-standby +NOT READY +dr +\S+ s +manual DB snapshots in us-west-2: 1 of 1 used/);
  expect(said).toMatch(/region +NOT READY +\d\d % +.*quotas-standby/);
  // The first of them: heartbeats have stopped, which CloudWatch may know by now.
  expect(said).toMatch(/docs\/runbooks\/readiness\.md#readiness-(heartbeat|quotas-standby)/);
});

test('a replica that is gone, and heartbeats that have stopped', async () => {
  await call('rds', 'DeleteDBInstance', { DBInstanceIdentifier: replica, SkipFinalSnapshot: true });
  const record = await eventually('a look in a minute without heartbeats', async () => {
    const found = await look();
    const wrong = wrongIn(found);
    // A source that is slow to answer is unknown, and asked again.
    return wrong.heartbeat !== undefined && !Object.values(wrong).includes('unknown') && found;
  });
  expect(wrongIn(record)).toEqual({ replication: 'not-ready', 'replica-lag': 'not-ready', heartbeat: 'not-ready' });
});
