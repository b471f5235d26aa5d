/** Two Regions that live and cannot reach each other, and one that dies whole and returns, with strict fencing and without a replica: on real PostgreSQL, seen from outside. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeDBInstanceAutomatedBackupsCommand } from '@aws-sdk/client-rds';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decide } from '../../cli/approval.ts';
import { clientsOf } from '../../cli/clients.ts';
import type { Installation } from '../../cli/installation.ts';
import { readApproval } from '../../cli/records.ts';
import {
  guarded,
  makeReady,
  openedBy,
  startMachine,
  type Watchers,
  watchFromOutside,
} from '../../cli/region-rehearsal.ts';
import { fetchReport } from '../../cli/report.ts';
import { production } from '../../config/production.ts';
import { type Overlap, overlaps } from '../../workload/clients/prober.ts';
import { assemblyOf } from '../support/assembly-of.ts';
import { eventually, Rehearsal } from '../support/rehearsal.ts';

/** Minutes are three seconds here: the guard looks every three. */
const clockFactor = 20;
const fencing = { mode: 'strict', tenureSeconds: 8, fenceSeconds: 16 } as const;
const [primary, dr] = [production.primary.region, production.dr.region];

let directory: string;
let site: Rehearsal;
let installation: Installation;
let watchers: Watchers;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'stocker-dr-strict-'));
  const assembly = assemblyOf(
    {
      ...production,
      region: { ...production.region, fencing },
      database: { ...production.database, regionProtection: 'automated-backups' },
      // People start what is to be seen here.
      automatic: { ...production.automatic, region: 'off' },
    },
    directory,
  );
  site = await Rehearsal.start({ environment: 'production', assembly, clockFactor, standby: true, replica: false });
  ({ installation } = site);
  watchers = watchFromOutside(installation);
  await site.ignoreAlarms();
  // Nobody searches the recovered database in depth here.
  site.inject({
    ...{ service: 'sfn', operation: 'StartExecution', effect: { kind: 'deny' } },
    where: ({ name = '' }) => name.startsWith('follow-up-'),
  });
  await makeReady(installation);
});
afterAll(async () => {
  await watchers?.prober.stop();
  await watchers?.writers.stop();
  await site?.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** The backups in the DR Region hold what is there now. */
async function replicated(): Promise<void> {
  const now = Date.now();
  const { rds } = clientsOf(installation.connection, dr);
  await eventually('backups in the DR Region that hold what is there now', async () => {
    const found = await rds.send(new DescribeDBInstanceAutomatedBackupsCommand({}));
    return found.DBInstanceAutomatedBackups?.some(({ RestoreWindow: window }) => Number(window?.LatestTime) > now);
  });
}
const told = (headline: RegExp) => site.notices.filter(({ subject, text }) => headline.test(`${subject} ${text}`));
const doubly = (since: number): Overlap[] =>
  overlaps(watchers.prober.acceptance.intervals.filter(({ last }) => last.acknowledgedAt >= since));
/** Accepted by the instance of that resource id, in epoch milliseconds of the last write that was. */
const lastAcceptedBy = (resourceId: string) =>
  Math.max(
    ...watchers.prober.acceptance.intervals
      .filter(({ instance }) => instance.includes(resourceId))
      .map(({ last }) => last.acknowledgedAt),
  );
/** What the alarm in the DR Region says of the primary: three minutes of looks. */
async function judged(state: 'OK' | 'ALARM'): Promise<void> {
  const { cloudwatch } = clientsOf(installation.connection, dr);
  const AlarmNames = [site.names.alarm('region-primary-lost')];
  await eventually(`a primary that is judged ${state}`, async () => {
    const found = await cloudwatch.send(new DescribeAlarmsCommand({ AlarmNames, AlarmTypes: ['CompositeAlarm'] }));
    return found.CompositeAlarms?.[0]?.StateValue === state;
  });
}
async function clientsGoOn(): Promise<void> {
  const { entries } = watchers.writers.ledger;
  const begun = entries.length;
  await eventually('clients that go on', () => entries.length > begun + 20);
}

test('production that is cut off for longer than its tenure stops, and goes on by itself when the way is there again', async () => {
  const before = await site.active();
  const partedAt = Date.now();
  await installation.cloud.part(primary, dr);
  await eventually('word that production has stopped', () => told(/Production stopped/).length > 0);
  const stoppedAt = lastAcceptedBy(before.resourceId);
  // It went on for its tenure, and no longer than the fence takes.
  expect(stoppedAt).toBeGreaterThan(partedAt);
  expect(stoppedAt - partedAt).toBeLessThan((fencing.tenureSeconds + fencing.fenceSeconds) * 1000);
  await installation.cloud.join(primary, dr);
  await eventually('word that production goes on', () => told(/Production takes writes again/).length > 0);
  await clientsGoOn();
  expect(lastAcceptedBy(before.resourceId)).toBeGreaterThan(stoppedAt);
  const after = await site.active();
  expect(after).toEqual({ ...before, epoch: expect.any(Number) });
  // Once for each time that it is opened: a tenure is three looks here, and a guard that is late on a busy machine opens again.
  expect(after.epoch).toBeGreaterThan(before.epoch);
});

test('a failover from a primary that dies whole waits until its tenure is over; what returns refuses by itself, before its guard looks', async () => {
  await judged('OK');
  await replicated();
  const before = await site.active();
  const startedAt = Date.now();
  await installation.cloud.goDark(primary);
  await judged('ALARM');
  const executionArn = await startMachine(installation, 'region-failover', {
    ...{ mode: 'recovery', confirm: 'production', reason: 'end-to-end test' },
  });
  const incident = (await openedBy(installation, executionArn))?.incident.id ?? '';
  const control = clientsOf(installation.connection, dr);
  await eventually(
    'a question',
    () => readApproval(control.dynamodb, site.names.controlTable, incident),
    async () => (await site.execution(executionArn, dr)).cause ?? '',
  );
  await decide(control.lambda, site.names.lambda('incident/decide-approval'), {
    ...{ incident, decision: 'approve', reason: 'end-to-end test' },
  });
  await eventually(
    'production in the DR Region',
    async () => (await site.active()).region === dr || (await site.execution(executionArn, dr)).status !== 'RUNNING',
  );
  const { status, cause } = await site.end(executionArn, dr);
  expect(status, cause).toBe('SUCCEEDED');
  await clientsGoOn();

  const report = await fetchReport(control, site.names.incidentTable, incident);
  const did = (step: string) => report?.timeline.find((each) => each.step === step);
  expect(did('EndTenure')).toMatchObject({
    status: 'succeeded',
    summary: expect.stringContaining('has fenced itself'),
  });
  expect(did('RestoreDatabase')?.status).toBe('succeeded');
  expect(did('PromoteReplica')).toBeUndefined();
  expect(did('FollowByTerraform')?.summary).toMatch(/^Terraform of this Region has followed/);
  expect(told(/Approve the ungraceful failover/)[0]?.text).toContain('restored from the replicated backups as of');

  const now = await site.active();
  expect(now).toMatchObject({ region: dr, epoch: before.epoch + 1 });
  const stoppedAt = lastAcceptedBy(before.resourceId);
  expect(lastAcceptedBy(now.resourceId)).toBeGreaterThan(stoppedAt);

  // Its server is up again, as it was, and no guard has come to look.
  const { promise: mayLook, resolve: letGuardLook } = Promise.withResolvers<void>();
  site.inject({
    ...{ service: 'dynamodb', operation: 'GetItem', effect: { kind: 'hold', until: () => mayLook } },
    where: (_, { principal }) => principal.kind === 'role' && principal.sessionName.endsWith('region-guard-database'),
  });
  await installation.cloud.comeBack(primary);
  const roleOf = () =>
    site.sql(
      "select rolcanlogin, rolvaliduntil < pg_postmaster_start_time() as expired from pg_roles where rolname = 'stocker_app'",
      before.port,
    );
  expect(await eventually('a server that is up', () => roleOf().catch(() => undefined))).toEqual([
    { rolcanlogin: true, expired: true },
  ]);
  const refused = () => watchers.prober.acceptance.refused.get(`${before.identifier} (${before.resourceId})`) ?? 0;
  const since = refused();
  await eventually('writes that it refuses by the date of its role', () => refused() > since + 20);
  expect(await roleOf()).toEqual([{ rolcanlogin: true, expired: true }]);
  expect(lastAcceptedBy(before.resourceId)).toBe(stoppedAt);

  letGuardLook();
  expect(await guarded(installation, startedAt, 60_000)).toMatchObject({
    ...{ resourceId: before.resourceId, windowSeconds: 0, rows: {} },
  });
  await eventually('word of it', () => told(/came back and is fenced/).length > 0);
  expect(told(/came back and is fenced/)[0]?.text).toContain('it has refused every login since it started');
  expect(await roleOf()).toEqual([{ rolcanlogin: false, expired: false }]);
  expect(lastAcceptedBy(before.resourceId)).toBe(stoppedAt);
  expect(doubly(startedAt)).toEqual([]);
});
