/** The primary Region is left, lost, and comes back: on both Regions with real PostgreSQL and DNS, under load, seen from outside. */

import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { decide } from '../../cli/approval.ts';
import { clientsOf } from '../../cli/clients.ts';
import type { Installation } from '../../cli/installation.ts';
import { readProduction } from '../../cli/production.ts';
import { readApproval } from '../../cli/records.ts';
import { type MoveCost, moveCost } from '../../cli/region-measure.ts';
import {
  arnsOf,
  guarded,
  makeReady,
  openedBy,
  type RegionMachine,
  regionIn,
  startMachine,
  type Watchers,
  watchFromOutside,
} from '../../cli/region-rehearsal.ts';
import { fetchReport } from '../../cli/report.ts';
import type { Report } from '../../core/evidence/contracts.ts';
import { overlaps } from '../../workload/clients/prober.ts';
import { eventually, Rehearsal } from '../support/rehearsal.ts';

let site: Rehearsal;
let installation: Installation;
let watchers: Watchers;
let primary: string;
let dr: string;
const gone = new Set<string>();

beforeAll(async () => {
  site = await Rehearsal.start({
    environment: 'production',
    assembly: inject('assemblies').production,
    clockFactor: 20,
    standby: true,
  });
  ({ installation } = site);
  primary = installation.configuration.primary.region;
  dr = installation.configuration.dr.region;
  watchers = watchFromOutside(installation);
  // Scaled heartbeats are late on a busy machine: what is lost here is a Region.
  await site.ignoreAlarms();
  // At home again nobody searches the whole database in depth: in the DR Region it is, until the failback takes over.
  site.inject({
    service: 'sfn',
    operation: 'StartExecution',
    where: ({ name = '', stateMachineArn = '' }) => name.startsWith('follow-up-') && stateMachineArn.includes(primary),
    effect: { kind: 'deny' },
  });
});
afterAll(async () => {
  await watchers?.prober.stop();
  await watchers?.writers.stop();
  await site?.stop();
});

const recovery = { mode: 'recovery', confirm: 'production', reason: 'end-to-end test' };

/** As it ends; a question of its is answered meanwhile. */
async function ended(executionArn: string) {
  const { connection, configuration } = installation;
  const control = clientsOf(connection, dr);
  let incident: string | undefined;
  return eventually(`an end of ${executionArn}`, async () => {
    const { status = '', error = '', cause = '' } = await site.execution(executionArn, regionIn(executionArn));
    if (status !== 'RUNNING') return { status, error, cause, incident };
    incident ??= (await openedBy(installation, executionArn))?.incident.id;
    const approval = incident && (await readApproval(control.dynamodb, site.names.controlTable, incident));
    if (approval && approval.executionArn === executionArn && !approval.decision)
      await decide(control.lambda, site.names.lambda('incident/decide-approval'), {
        incident: approval.incidentId,
        decision: 'approve',
        reason: `end-to-end test in ${configuration.environment}`,
      });
    return false;
  });
}

const start = async (machine: RegionMachine, request: object) =>
  ended(await startMachine(installation, machine, request));

/** A second of writes that succeed. */
async function clientsGoOn(): Promise<void> {
  const { entries, failures } = watchers.writers.ledger;
  const begun = entries.length;
  await eventually(
    'clients that go on',
    () => entries.length > begun + 50,
    async () => `${failures.at(-1)?.reason}`,
  );
}

interface Moved {
  readonly report: Report;
  readonly cost: MoveCost;
}

/** What it cost, from the ledger and from what production holds now. */
async function measured(machine: RegionMachine, incident: string | undefined, startedAt: number): Promise<Moved> {
  const region = machine === 'region-failover' ? dr : primary;
  const report = await fetchReport(
    clientsOf(installation.connection, region),
    site.names.incidentTable,
    incident ?? '',
  );
  if (report === undefined) throw new Error(`${incident} has no report`);
  const { ledger } = watchers.writers;
  const entries = ledger.entries.filter(({ reference }) => !gone.has(reference));
  const present = await readProduction(installation);
  for (const { reference } of entries) if (!present.has(reference)) gone.add(reference);
  const seen = { entries, failures: [...ledger.failures] };
  return { report, cost: moveCost({ ledger: seen, present, startedAt, timeline: report.timeline }) };
}

const both = (since: number) =>
  overlaps(watchers.prober.acceptance.intervals.filter(({ last }) => last.acknowledgedAt >= since));

async function comeHome(): Promise<Moved> {
  const startedAt = Date.now();
  const { status, cause, incident } = await start('region-failback', recovery);
  expect(status, cause).toBe('SUCCEEDED');
  await clientsGoOn();
  return measured('region-failback', incident, startedAt);
}

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
  const { status, cause, incident } = await start('region-failover', { ...recovery, style: 'graceful' });
  expect(status, cause).toBe('SUCCEEDED');
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

test('a failover of a primary that is alive is denied, and nothing is changed', async () => {
  const { status, error, cause } = await start('region-failover', recovery);
  expect(status).toBe('FAILED');
  expect(error).toBe('FailoverDenied');
  expect(cause).toMatch(/primary-lost: the primary is alive/);
  expect((await site.active()).region).toBe(primary);
});
