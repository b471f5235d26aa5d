/** The primary Region is left, lost, and comes back: on both Regions with real PostgreSQL and DNS, under load, seen from outside. */

import { StopExecutionCommand } from '@aws-sdk/client-sfn';
import { beforeEach, describe, expect, test } from 'vitest';
import { clientsOf } from '../../cli/clients.ts';
import { arnsOf, guarded, makeReady, type RegionMachine, startMachine } from '../../cli/region-rehearsal.ts';
import { fetchReport } from '../../cli/report.ts';
import { DatabaseNotReady } from '../../core/database/errors.ts';
import type { ActiveDatabase } from '../../core/incident/contracts.ts';
import { AwsError, type Call } from '../../local/kernel.ts';
import { shortenApproval, shortenWait } from '../support/redefine.ts';
import { eventually } from '../support/rehearsal.ts';
import { both, clientsGoOn, comeHome, measured, nothingMoved } from './region/clients.ts';
import {
  decided,
  dr,
  ended,
  installation,
  lastWord,
  looked,
  onOneInstallation,
  onReplica,
  primary,
  recovery,
  site,
  start,
  stateOf,
  watchers,
} from './region/site.ts';

onOneInstallation();

describe('a start that is bad or dangerous is refused, and says why', () => {
  test.each<{ case: string; machine: RegionMachine; request: object; says: RegExp }>([
    {
      case: 'a failback while production is at home',
      machine: 'region-failback',
      request: recovery,
      says: /us-east-1.*is active already/s,
    },
    {
      case: 'without the name of the environment',
      machine: 'region-failover',
      request: { ...recovery, confirm: 'staging' },
      says: /confirm/,
    },
    {
      case: 'an alarm that does not ring any more',
      machine: 'region-failover',
      request: {
        ...recovery,
        trigger: { kind: 'alarm', name: 'stocker-dr-production-region-primary-lost', at: new Date().toISOString() },
      },
      says: /does not ring any more/,
    },
    {
      case: 'a style that is none',
      machine: 'region-failover',
      request: { ...recovery, style: 'brave' },
      says: /style.*graceful/s,
    },
  ])('$case', async ({ machine, request, says }) => {
    const { status, error, cause } = await start(machine, request);
    expect(status).toBe('FAILED');
    expect(error).toBe('InvalidRequest');
    expect(cause).toMatch(says);
  });
});

test('a drill promotes a copy of its own and shifts a record of its own, and nothing is left of it', async () => {
  await makeReady(installation);
  const before = await site.active();
  const { drillRecordName } = installation.configuration.traffic;
  const atHome = await leadsTo(drillRecordName);
  const startedAt = Date.now();
  const { status, cause, incident } = await start('region-failover', { reason: 'end-to-end test' });
  expect(status, cause).toBe('SUCCEEDED');
  const report = await fetchReport(clientsOf(installation.connection, dr), site.names.incidentTable, incident ?? '');
  const did = (step: string) => report?.timeline.find((each) => each.step === step && each.status === 'succeeded');
  expect(did('AwaitPromoted')?.summary).toMatch(/^dr-drill-.* is promoted/);
  expect(did('AwaitTraffic')?.summary).toMatch(/^drill\.api\..* leads to dr\.api\./);
  expect(report?.validation.filter(({ verdict }) => verdict !== 'passed')).toEqual([]);
  expect(await site.active()).toEqual(before);
  expect(both(startedAt)).toEqual([]);
  const { rds } = clientsOf(installation.connection, dr);
  const names = await site.instancesIn(rds);
  expect(names).toEqual([`${installation.configuration.database.replicaIdentifier} of ${before.identifier}`]);
  await eventually(`${drillRecordName} at home`, async () => (await leadsTo(drillRecordName)) === atHome);
});

/** The port behind a name, as a resolver without a cache finds it. */
async function leadsTo(name: string): Promise<number> {
  return (await installation.traffic.resolver().locate(name)).port;
}

// First of the moves: for an hour after a recovery no alarm starts another.
test('with us-east-1 dark the DR Region takes over by itself; what returns is fenced, counted and kept, and production comes home', async () => {
  const iam = site.observe('iam', ['CreateRole', 'PutRolePolicy']);
  const records = site.observe('route-53', ['ChangeResourceRecordSets']);
  const known = new Set(await arnsOf(installation, 'region-failover'));
  const startedAt = Date.now();
  await installation.cloud.goDark(primary);
  const executionArn = await eventually('a failover that an alarm started', async () =>
    (await arnsOf(installation, 'region-failover')).find((arn) => !known.has(arn)),
  );
  const { status, cause, incident } = await ended(executionArn);
  expect(status, cause).toBe('SUCCEEDED');
  await clientsGoOn();
  expect([...iam, ...records]).toEqual([]);

  await installation.cloud.comeBack(primary);
  const guard = await guarded(installation, startedAt, 60_000);
  if (guard === undefined) throw new Error('the guard fenced nothing');
  const away = await measured('region-failover', incident, startedAt);
  expect(away.report.objectives.filter(({ met }) => met !== 'met')).toEqual([]);
  expect(away.cost.missingSince).toBe(0);
  expect(away.cost.servedSeconds).toBeGreaterThan(0);
  // The window that is reported holds the one that was seen.
  const seen = both(startedAt);
  for (const { from, until } of seen) {
    expect(from).toBeGreaterThanOrEqual(Date.parse(guard.openFrom) - 250);
    expect(until).toBeLessThanOrEqual(Date.parse(guard.fencedAt) + 250);
  }
  const rows = Object.values(guard.rows).reduce((sum, count) => sum + count, 0);
  const accepted = watchers.prober.acceptance.intervals
    .filter(({ instance, last }) => instance.includes(guard.resourceId) && last.sentAt >= Date.parse(guard.openFrom))
    .reduce((sum, { writes }) => sum + writes, 0);
  // Each write of the prober is a movement; its product's stock is one row more.
  expect(rows).toBeGreaterThanOrEqual(accepted);
  expect(rows === 0).toBe(accepted === 0);

  const home = await comeHome();
  expect(home.cost).toMatchObject({ lost: 0, missingSince: 0 });
  const kept = home.report.timeline.find(({ step }) => step === 'ExportFormer')?.summary;
  expect(kept).toContain(guard.identifier);
  expect(both(Date.parse(guard.fencedAt))).toEqual([]);
});

test('a switchover loses nothing, no two databases ever accept, and production comes home the same way', async () => {
  const startedAt = Date.now();
  // A standby that is behind: promoted only when it has replayed what the fenced primary wrote.
  await onReplica('select pg_wal_replay_pause()');
  const waited = behind(3, () => onReplica('select pg_wal_replay_resume()'));
  const { status, cause, incident } = await start('region-failover', { ...recovery, style: 'graceful' });
  expect(status, cause).toBe('SUCCEEDED');
  expect(waited()).toBeGreaterThan(3);
  await clientsGoOn();
  const away = await measured('region-failover', incident, startedAt);
  expect(away.cost).toMatchObject({ lost: 0, missingSince: 0 });
  expect((await site.active()).region).toBe(dr);
  expect(await leadsTo(installation.configuration.traffic.recordName)).toBe(
    await leadsTo(installation.configuration.traffic.drRecordName),
  );
  const again = await start('region-failover', recovery);
  expect(again.cause).toMatch(/us-west-2.*is active already/s);

  const home = await comeHome();
  expect(home.cost).toMatchObject({ lost: 0, missingSince: 0 });
  expect((await site.active()).region).toBe(primary);
  expect(both(startedAt)).toEqual([]);
});

/** Counts the calls of AwaitCaughtUp; before the one after so many this is done. */
function behind(calls: number, mend: () => Promise<unknown>): () => number {
  let seen = 0;
  site.inject({
    service: 'lambda',
    operation: 'Invoke',
    where: ({ FunctionName = '' }) => FunctionName.includes('await-caught-up') && ++seen > calls,
    times: 1,
    effect: { kind: 'hold', until: async () => void (await mend()) },
  });
  return () => seen;
}

describe('nothing is moved', () => {
  let before: ActiveDatabase;
  let startedAt: number;
  beforeEach(async () => {
    before = await site.active();
    startedAt = Date.now();
  });
  const graceful = { ...recovery, style: 'graceful' };

  test('where the primary is alive', async () => {
    const { error, cause } = await start('region-failover', recovery);
    expect(error).toBe('FailoverDenied');
    expect(cause).toMatch(/primary-lost: the primary is alive/);
    await nothingMoved(before, startedAt);
  });

  test('where its control plane fails while its database serves: one signal is none', async () => {
    const mend = site.inject({
      service: 'rds',
      operation: 'DescribeDBInstances',
      where: (_, { region, principal }) => region === primary && principal.kind === 'role',
      effect: { kind: 'throw', error: new AwsError('ServiceUnavailable', 'slow') },
    });
    await looked((look) => stateOf(look, 'control-plane') === 'down');
    const { error, cause } = await start('region-failover', recovery).finally(mend);
    expect(error).toBe('FailoverDenied');
    expect(cause).toMatch(/primary-lost: the primary is undecided: .*database was up/s);
    await nothingMoved(before, startedAt);
    // What follows meets a primary that is seen to be alive.
    await looked((look) => stateOf(look, 'control-plane') === 'up');
  });

  test('where a person declines', async () => {
    const { error, cause } = await start('region-failover', graceful, async () => 'decline');
    expect(`${error}: ${cause}`).toMatch(/^ApprovalDeclined: /);
    expect(cause).toMatch(/declined: end-to-end test/);
    await nothingMoved(before, startedAt);
  });

  test('where nobody answers: silence declines, and an answer that comes too late changes nothing', async () => {
    const { sfn } = clientsOf(installation.connection, dr);
    const restore = await shortenApproval(sfn, site.names.stateMachineArn(dr, 'region-failover'), 5);
    const silent = start('region-failover', graceful, async () => 'silence');
    const { error, cause, incident = '' } = await silent.finally(restore);
    expect(error).toBe('ApprovalTimedOut');
    expect(cause).toContain('Nothing was changed');
    expect(lastWord(incident)).toContain('was declined, for nobody answered in time');
    expect(await decided(incident, 'approve')).toMatchObject({ status: 409 });
    // Not even fenced: undoing that would raise the epoch.
    expect(await site.active()).toEqual(before);
    await nothingMoved(before, startedAt);
  });

  test('where the promotion is accepted and never begins: the primary, fenced meanwhile, takes writes again', async () => {
    const { sfn, rds } = clientsOf(installation.connection, dr);
    const standing = await site.instancesIn(rds);
    const machine = site.names.stateMachineArn(dr, 'region-failover');
    // Half an hour and 180 tries; that they are bounded is what the machine's own test shows.
    const restore = await shortenWait(sfn, machine, 'AwaitPromoted', 'DatabaseNotReady', 8);
    const mend = site.inject({
      ...{ service: 'rds', operation: 'PromoteReadReplica', where: (_: unknown, { region }: Call) => region === dr },
      effect: { kind: 'answer', output: { DBInstance: {} } },
    });
    const stalled = start('region-failover', graceful).finally(mend).finally(restore);
    const { error, cause, incident = '' } = await stalled;
    expect(error).toBe('DatabaseNotReady');
    expect(cause).toMatch(/still follows/);
    const { name, next } = DatabaseNotReady.definition;
    expect(lastWord(incident)).toContain(`failed in AwaitPromoted: ${name}`);
    expect(lastWord(incident)).toContain(next);
    const report = await fetchReport(clientsOf(installation.connection, dr), site.names.incidentTable, incident);
    const did = (step: string) => report?.timeline.find((each) => each.step === step);
    expect(did('FencePrimary')?.status).toBe('succeeded');
    // It was waited for a promotion that might still begin, and not for real minutes.
    expect(did('Compensate')?.status).toBe('succeeded');
    expect(did('Compensate')?.attempts).toBeGreaterThan(30);
    expect(did('Compensate')?.summary).toMatch(/was not promoted: it follows production/);
    expect(await site.instancesIn(rds)).toEqual(standing);
    await nothingMoved(before, startedAt);
  });

  test('where the standby does not catch up and is given up: the primary, fenced meanwhile, takes writes again', async () => {
    // The undo before confirmed production under a new epoch: until somebody has looked in it, it is not known to be alive.
    await looked(({ signals }) => signals.every(({ state }) => state === 'up'));
    await onReplica('select pg_wal_replay_pause()');
    const executionArn = await startMachine(installation, 'region-failover', graceful);
    const waited = behind(2, () =>
      clientsOf(installation.connection, dr).sfn.send(new StopExecutionCommand({ executionArn, cause: 'it is stuck' })),
    );
    const { status } = await ended(executionArn);
    expect({ status, waited: waited() }).toEqual({ status: 'ABORTED', waited: 3 });
    await eventually('a free lease', async () => (await site.lease()) === undefined);
    await onReplica('select pg_wal_replay_resume()');
    await nothingMoved(before, startedAt);
  });

  // Last: whatever is dark is dark for all.
  test('where the Region comes back while people are asked', async () => {
    await installation.cloud.goDark(primary);
    await looked((look) => stateOf(look, 'database') === 'down');
    await looked((look) => stateOf(look, 'database') === 'down');
    await looked((look) => stateOf(look, 'database') === 'down');
    const { error, cause } = await start('region-failover', recovery, async () => {
      await installation.cloud.comeBack(primary);
      await looked(({ signals }) => signals.every(({ state }) => state === 'up'));
      return 'approve';
    });
    expect(error).toBe('FailoverDenied');
    expect(cause).toMatch(/primary-lost: the primary is alive/);
    await nothingMoved(before, startedAt);
  });
});
