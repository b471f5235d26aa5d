import { expect, test } from 'vitest';
import { blockedWindow, type TriageFacts, triage } from '../../../core/incident/triage.ts';
import { DatabaseSignal, triageAlarm } from '../../../core/incident/triage-alarm.ts';
import {
  FakeAnnouncer,
  FakeClock,
  FakeControl,
  FakeExecutions,
  FakeIncidents,
  makeIncident,
  makeLease,
  makeRecord,
  settings,
} from '../fakes.ts';

const now = '2026-11-22T20:15:00.000Z'; // a Sunday
const alarm = { kind: 'alarm', name: 'stocker-dr-staging-database-damage-found', at: '2026-11-22T20:14:00Z' } as const;
const event = { kind: 'event', name: 'RDS-EVENT-0031', at: alarm.at, database: 'stocker-pro-staging' } as const;
const facts: TriageFacts = { now, signal: alarm, alarmNow: 'ALARM', activeDatabase: 'stocker-pro-staging', recent: [] };
const auto = { ...settings.automatic, database: 'auto' } as const;
const recovery = makeIncident({ mode: 'recovery', id: 'recovery-20261122T200000Z-1a2b3c4d' });
const closed = makeRecord({ status: 'closed', closedAt: '2026-11-22T19:30:00.000Z' }, recovery);
const sundays = { days: ['SUN'], from: '20:00', to: '21:00', reason: 'maintenance' } as const;

test('an alarm of the cluster starts what the cluster is allowed, whatever the database is', () => {
  const signal = { ...alarm, name: 'stocker-dr-staging-cluster-lost' };
  const ofCluster = { ...facts, signal };
  const asked = triage({ ...settings.automatic, cluster: 'ask' }, ofCluster, 'cluster');
  expect(asked).toMatchObject({
    verdict: 'start',
    reasons: [expect.stringMatching(/of the cluster starts, and asks before/)],
  });
  expect(triage(auto, ofCluster, 'cluster')).toMatchObject({
    verdict: 'record',
    reasons: [expect.stringMatching(/of the cluster is off/)],
  });
});

test('it is started by its own machine', async () => {
  const executions = new FakeExecutions();
  const context = {
    settings: { ...settings, automatic: { ...settings.automatic, cluster: 'ask' as const } },
    here: settings.primary,
    clock: new FakeClock(now),
    control: new FakeControl(),
    incidents: new FakeIncidents(),
    alarms: { state: async () => ({ value: 'ALARM' as const, since: now }) },
    executions,
    announcer: new FakeAnnouncer(),
  };
  const decision = await triageAlarm({ ...alarm, name: 'stocker-dr-staging-cluster-lost' }, context);
  expect(decision.execution).toContain('stocker-dr-staging-cluster-recovery');
});

test.each([
  { case: 'the alarm rings and recovery is automatic', change: {}, verdict: 'start', reason: 'by itself' },
  {
    case: 'recovery asks first',
    automatic: { ...auto, database: 'ask' as const },
    verdict: 'start',
    reason: 'asks before',
  },
  { case: 'recovery is off', automatic: settings.automatic, verdict: 'record', reason: 'is off' },
  {
    case: 'the alarm is quiet again',
    change: { alarmNow: 'OK' as const },
    verdict: 'record',
    reason: 'no longer in ALARM but OK',
  },
  { case: 'the alarm is unknown', change: { alarmNow: undefined }, verdict: 'record', reason: 'but gone' },
  {
    case: 'the alarm has too little data',
    change: { alarmNow: 'INSUFFICIENT_DATA' as const },
    verdict: 'record',
    reason: 'INSUFFICIENT_DATA',
  },
  {
    case: 'the event is an hour late',
    change: { signal: { ...alarm, at: '2026-11-22T19:15:00Z' } },
    verdict: 'record',
    reason: '1 h 00 min old',
  },
  {
    case: 'an incident is open',
    change: { recent: [makeRecord({}, recovery)] },
    verdict: 'join',
    reason: recovery.id,
  },
  { case: 'only a drill is open', change: { recent: [makeRecord()] }, verdict: 'start', reason: 'by itself' },
  { case: 'a recovery has just closed', change: { recent: [closed] }, verdict: 'record', reason: 'cooldown of 1 h' },
  {
    case: 'a blocked window holds',
    automatic: { ...auto, blockedWindows: [{ ...sundays, days: ['SUN' as const] }] },
    verdict: 'record',
    reason: 'maintenance',
  },
  {
    case: 'RDS reports the active database lost',
    change: { signal: event, alarmNow: undefined },
    verdict: 'start',
    reason: 'by itself',
  },
  {
    case: 'RDS reports another instance',
    change: { signal: { ...event, database: 'dr-drill-x' }, alarmNow: undefined },
    verdict: 'record',
    reason: 'not the active database',
  },
  {
    case: 'the active database is in the other Region',
    change: { activeElsewhere: 'us-west-2' },
    verdict: 'record',
    reason: 'stocker-pro-staging is in us-west-2: triage there decides',
  },
  {
    case: 'the active database is unknown',
    change: { signal: event, activeDatabase: undefined },
    verdict: 'record',
    reason: 'unknown',
  },
])('decides $verdict when $case', ({ change = {}, automatic = auto, verdict, reason }) => {
  const decision = triage(automatic, { ...facts, ...change });
  expect(decision.verdict).toBe(verdict);
  expect(decision.reasons.join()).toContain(reason);
});

test('a window past midnight blocks the morning after, and no other morning', () => {
  const window = { days: ['SAT' as const], from: '23:00', to: '02:00', reason: 'upgrade' };
  expect(blockedWindow([window], '2026-11-22T01:59:00Z')).toBe(window);
  expect(blockedWindow([window], '2026-11-21T23:00:00Z')).toBe(window);
  expect(blockedWindow([window], '2026-11-22T02:00:00Z')).toBeUndefined();
  expect(blockedWindow([window], '2026-11-21T01:00:00Z')).toBeUndefined();
});

function makeContext(automatic: typeof settings.automatic) {
  return {
    settings: { ...settings, automatic },
    here: settings.primary,
    clock: new FakeClock(now),
    control: new FakeControl(),
    incidents: new FakeIncidents(),
    alarms: { state: async () => ({ value: 'ALARM' as const, since: alarm.at }) },
    executions: new FakeExecutions(),
    announcer: new FakeAnnouncer(),
  };
}

test('starts the machine under a name that the same alarm always yields, and tells people', async () => {
  const context = makeContext(auto);
  await triageAlarm(alarm, context);
  await triageAlarm(alarm, context);
  const names = context.executions.started.map(({ name }) => name);
  expect(names[0]).toMatch(/^triage-20261122T201400Z-[0-9a-f]{8}$/);
  expect(new Set(names).size).toBe(1);
  expect(context.executions.started[0]).toMatchObject({
    machine: 'stocker-dr-staging-database-recovery',
    input: { mode: 'recovery', confirm: 'staging', trigger: { kind: 'alarm', at: alarm.at } },
  });
  expect(context.announcer.announced[0]).toMatchObject({ kind: 'triage' });
});

test('ten rings at once start one recovery; the others join it, and each is recorded', async () => {
  const context = makeContext(auto);
  const rings = Array.from({ length: 10 }, (_, index) => ({ ...alarm, name: `stocker-dr-staging-database-${index}` }));
  const decisions = await Promise.all(rings.map((ring) => triageAlarm(ring, context)));
  expect(context.executions.started).toHaveLength(1);
  const name = context.executions.started[0]?.name;
  expect(decisions.map(({ verdict }) => verdict).sort()).toEqual([...Array(9).fill('join'), 'start']);
  for (const decision of decisions) expect(decision.execution).toContain(name);
  expect(context.incidents.decisions).toHaveLength(10);
});

test('a ring after the opening time starts again where the earlier start opened no incident', async () => {
  const context = makeContext(auto);
  await triageAlarm(alarm, context);
  context.clock.advance(121);
  await triageAlarm({ ...alarm, name: 'another' }, context);
  expect(context.executions.started).toHaveLength(2);
});

test.each([
  { case: 'a drill that runs is stopped', mode: 'drill', status: 'RUNNING', stopped: 1 },
  { case: 'a drill that has ended is left alone', mode: 'drill', status: 'FAILED', stopped: 0 },
  { case: 'a recovery is never stopped', mode: 'recovery', status: 'RUNNING', stopped: 0 },
] as const)('before it starts, $case', async ({ mode, status, stopped }) => {
  const context = makeContext(auto);
  context.control.lease = makeLease({ executionArn: 'arn:other', mode });
  context.executions.statuses.set('arn:other', status);
  const { reasons } = await triageAlarm(alarm, context);
  expect(context.executions.stopped).toHaveLength(stopped);
  expect(reasons.join().includes('gave way')).toBe(stopped > 0);
  expect(context.executions.started).toHaveLength(1);
});

test('with automatic recovery off it starts nothing, records why and tells people', async () => {
  const context = makeContext(settings.automatic);
  await triageAlarm(alarm, context);
  expect(context.executions.started).toEqual([]);
  expect(context.incidents.decisions).toMatchObject([{ verdict: 'record', alarm: alarm.name }]);
  expect(context.announcer.announced).toMatchObject([{ headline: expect.stringContaining('nothing was started') }]);
});

test('tells nobody about another instance: every drill deletes one', async () => {
  const context = makeContext(auto);
  const deleted = { ...event, name: 'RDS-EVENT-0003 of dr-drill-x', database: 'dr-drill-x' };
  await triageAlarm(deleted, context);
  expect(context.announcer.announced).toEqual([]);
  expect(context.incidents.decisions).toMatchObject([{ verdict: 'record' }]);
});

test('reads both kinds of EventBridge events and refuses any other', () => {
  const time = '2026-11-22T20:14:00Z';
  expect(
    DatabaseSignal.parse({ 'detail-type': 'CloudWatch Alarm State Change', time, detail: { alarmName: 'a' } }),
  ).toEqual({ kind: 'alarm', name: 'a', at: time });
  expect(
    DatabaseSignal.parse({
      'detail-type': 'RDS DB Instance Event',
      time,
      detail: { EventID: 'RDS-EVENT-0031', SourceIdentifier: 'stocker' },
    }),
  ).toMatchObject({ kind: 'event', database: 'stocker' });
  expect(DatabaseSignal.safeParse({ 'detail-type': 'Scheduled Event', time, detail: {} }).success).toBe(false);
});
