import { expect, test } from 'vitest';
import { type AcceptRequestContext, acceptRequest } from '../../../core/incident/accept-request.ts';
import {
  executionArn,
  FakeCatalogue,
  FakeClock,
  FakeControl,
  FakeDumps,
  FakeExecutions,
  FakeIncidents,
  makeInstance,
  makeLease,
  makeSnapshot,
  openedAt,
  settings,
} from '../fakes.ts';

const execution = { arn: executionArn, startedAt: openedAt };

function makeContext() {
  const ringing: string[] = [];
  return {
    settings,
    here: settings.primary,
    clock: new FakeClock(),
    control: new FakeControl(),
    executions: new FakeExecutions(),
    incidents: new FakeIncidents(),
    alarms: { ringing: async () => ringing },
    databases: new FakeCatalogue(),
    dumps: new FakeDumps(),
    rings: ringing,
  } satisfies AcceptRequestContext & { rings: string[] };
}
const accept = (request: unknown, context = makeContext()) => acceptRequest({ request, execution }, context);
const drill = { reason: 'monthly restore test' };

test('accepts the smallest drill: the active database, restored to the latest time', async () => {
  const { incident } = await accept(drill);
  expect(incident).toMatchObject({
    mode: 'drill',
    scenario: 'database',
    target: 'stocker-pro-staging',
    restoreTo: 'latest',
    detectedAt: openedAt,
    executionArn,
  });
  expect(incident.id).toMatch(/^drill-20261122T201500Z-[0-9a-f]{8}$/);
});

test('starts the RTO clock when the alarm rang, not when the execution started', async () => {
  const at = '2026-11-22T20:12:30Z';
  const { incident } = await accept({ ...drill, trigger: { kind: 'alarm', name: 'heartbeat', at } });
  expect(incident.detectedAt).toBe(at);
});

test('derives the same request key from the same requestId, whatever the execution', async () => {
  const request = { ...drill, requestId: 'november' };
  const [first, second] = await Promise.all([
    acceptRequest({ request, execution }, makeContext()),
    acceptRequest({ request, execution: { arn: `${executionArn}-2`, startedAt: openedAt } }, makeContext()),
  ]);
  expect(first.incident.id).toBe(second.incident.id);
});

test.each([
  { case: 'text instead of an object', request: 'drill', says: ['input = "drill"', '{"mode": "drill"'] },
  {
    case: 'a misspelt field',
    request: { ...drill, restorTo: 'latest' },
    says: ['restorTo = "latest"', 'Did you mean restoreTo?'],
  },
  {
    case: 'an unknown field',
    request: { ...drill, Comment: 'hello' },
    says: ['Comment = "hello"', 'Known fields: mode, reason'],
  },
  { case: 'no reason', request: {}, says: ['reason = (missing)', 'Give one sentence'] },
  { case: 'a blank reason', request: { reason: '  ' }, says: ['reason = "  "'] },
  { case: 'an unknown mode', request: { ...drill, mode: 'real' }, says: ['mode = "real"', 'Use "drill"'] },
  { case: 'a number as target', request: { ...drill, target: 7 }, says: ['target = 7', 'Leave it out'] },
  { case: 'a bad requestId', request: { ...drill, requestId: 'a b' }, says: ['requestId = "a b"', 'letters, digits'] },
  {
    case: 'restoreTo that is no time',
    request: { ...drill, restoreTo: 'yesterday' },
    says: ['restoreTo = "yesterday"', 'Write it as 2026-11-22T20:15:00Z'],
  },
  {
    case: 'restoreTo with an offset',
    request: { ...drill, restoreTo: '2026-11-22T21:00:00+02:00' },
    says: ['Write it as 2026-11-22T19:00:00Z', 'the same time in UTC'],
  },
  {
    case: 'restoreTo on 31 February',
    request: { ...drill, restoreTo: '2026-02-31T12:00:00Z' },
    says: ['restoreTo = "2026-02-31T12:00:00Z"'],
  },
  {
    case: 'restoreTo of the wrong shape',
    request: { ...drill, restoreTo: { snap: 'x' } },
    says: ['restoreTo = {"snap":"x"}', '{"snapshot":'],
  },
  {
    case: 'restoreTo in the future',
    request: { ...drill, restoreTo: '2026-11-22T20:15:01Z' },
    says: ['in the future (now 2026-11-22T20:15:00.000Z)', 'an earlier time'],
  },
  {
    case: 'restoreTo before the window',
    request: { ...drill, restoreTo: '2026-11-01T00:00:00Z' },
    says: ['outside the restore window', 'from 2026-11-15T20:00:00Z until before 2026-11-22T20:10:00Z'],
  },
  {
    case: 'restoreTo at the end of the window, which RDS excludes',
    request: { ...drill, restoreTo: '2026-11-22T20:10:00Z' },
    says: ['outside the restore window'],
  },
  {
    case: 'an unknown target',
    request: { ...drill, target: 'nowhere' },
    says: ['target = "nowhere"', 'names no database in us-east-1', 'active database is stocker-pro-staging'],
  },
  {
    case: 'a target that is not active',
    request: { ...drill, target: 'reporting' },
    says: ['target = "reporting"', 'is not the active database'],
  },
  {
    case: 'an unknown snapshot',
    request: { ...drill, restoreTo: { snapshot: 'none' } },
    says: ['restoreTo.snapshot = "none"', 'describe-db-snapshots'],
  },
  {
    case: 'a snapshot of another database',
    request: { ...drill, restoreTo: { snapshot: 'foreign' } },
    says: ['a snapshot of another database, reporting'],
  },
  {
    case: 'a snapshot of an earlier instance of the name',
    request: { ...drill, restoreTo: { snapshot: 'former' } },
    says: ['a snapshot of another database', 'db-FORMER'],
  },
  {
    case: 'a snapshot in the making',
    request: { ...drill, restoreTo: { snapshot: 'unfinished' } },
    says: ['not available but creating'],
  },
  {
    case: 'an unencrypted snapshot of an encrypted database',
    request: { ...drill, restoreTo: { snapshot: 'plain' } },
    says: ['is unencrypted', 'copy-db-snapshot'],
  },
  {
    case: 'a trigger from the future',
    request: { ...drill, trigger: { kind: 'alarm', at: '2026-11-22T21:00:00Z' } },
    says: ['trigger.at'],
  },
  {
    case: 'a recovery without confirm',
    request: { ...drill, mode: 'recovery' },
    says: ['confirm = (missing)', 'Set "confirm": "staging"'],
  },
  {
    case: 'a recovery confirmed for another environment',
    request: { ...drill, mode: 'recovery', confirm: 'production' },
    says: ['confirm = "production"', 'Set "confirm": "staging"'],
  },
])('refuses $case, naming field, value and fix', async ({ request, says }) => {
  const context = makeContext();
  context.databases.instances.push(makeInstance({ identifier: 'reporting', resourceId: 'db-REPORTING' }));
  context.databases.snapshots.push(
    makeSnapshot({ identifier: 'foreign', instanceIdentifier: 'reporting', instanceResourceId: 'db-REPORTING' }),
    makeSnapshot({ identifier: 'former', instanceResourceId: 'db-FORMER' }),
    makeSnapshot({ identifier: 'unfinished', status: 'creating' }),
    makeSnapshot({ identifier: 'plain', encrypted: false }),
  );
  const refusal = await accept(request, context).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ name: 'InvalidRequest', retryable: false });
  for (const part of says) expect(String(refusal)).toContain(part);
});

test('names every problem at once', async () => {
  const refused = accept({ restorTo: 'latest', mode: 'real' });
  await expect(refused).rejects.toThrow(/restorTo.*\n.*mode.*\n.*reason/s);
});

test.each([
  { case: 'the first moment of the window', restoreTo: '2026-11-15T20:00:00Z' },
  { case: 'the last moment of the window', restoreTo: '2026-11-22T20:09:59.999999Z' },
  { case: 'an encrypted snapshot of the database', restoreTo: { snapshot: 'nightly' } },
])('accepts $case', async ({ restoreTo }) => {
  expect((await accept({ ...drill, restoreTo })).incident.restoreTo).toEqual(restoreTo);
});

test('refuses a second start while one runs, naming it and since when', async () => {
  const context = makeContext();
  context.control.lease = makeLease({ executionArn: 'arn:other', incidentId: 'drill-other' });
  context.executions.statuses.set('arn:other', 'RUNNING');
  const refused = accept(drill, context);
  await expect(refused).rejects.toMatchObject({ name: 'RecoveryInProgress' });
  await expect(refused).rejects.toThrow(`since ${openedAt}: incident drill-other, execution arn:other`);
});

test('accepts a start where the holder of the lease has ended', async () => {
  const context = makeContext();
  context.control.lease = makeLease({ executionArn: 'arn:other' });
  context.executions.statuses.set('arn:other', 'FAILED');
  await expect(accept(drill, context)).resolves.toHaveProperty('incident');
});

test('refuses a requestId that opened an incident before', async () => {
  const context = makeContext();
  const request = { ...drill, requestId: 'november' };
  const { incident } = await accept(request, context);
  context.incidents.requests.set(incident.id.slice(-8), 'drill-20261101T000000Z-earlier0');
  const refused = accept(request, context);
  await expect(refused).rejects.toMatchObject({ name: 'DuplicateRequest' });
  await expect(refused).rejects.toThrow('incident drill-20261101T000000Z-earlier0');
});

test('defers a scheduled drill while a database alarm rings, but not one that a person starts', async () => {
  const context = makeContext();
  context.rings.push('stocker-dr-staging-database-damage-found');
  const scheduled = accept({ ...drill, trigger: { kind: 'schedule', name: 'monthly' } }, context);
  await expect(scheduled).rejects.toMatchObject({ name: 'DrillDeferred' });
  await expect(accept(drill, context)).resolves.toHaveProperty('incident');
});

test('refuses where no active database is registered, or it is in the other Region', async () => {
  const unregistered = makeContext();
  unregistered.control.active = undefined;
  await expect(accept(drill, unregistered)).rejects.toMatchObject({ name: 'ActiveDatabaseUnknown' });
  const elsewhere = { ...makeContext(), here: settings.dr };
  await expect(accept(drill, elsewhere)).rejects.toThrow('start the state machine there');
});

test.each([
  { case: 'alone', lease: undefined },
  { case: 'while the active Region’s own drill runs', lease: makeLease({ executionArn: 'arn:other' }) },
])('skips a scheduled drill where the active database is in the other Region, $case', async ({ lease }) => {
  const context = { ...makeContext(), here: settings.dr };
  context.control.lease = lease;
  context.executions.statuses.set('arn:other', 'RUNNING');
  const scheduled = accept({ ...drill, trigger: { kind: 'schedule', name: 'monthly' } }, context);
  await expect(scheduled).rejects.toMatchObject({
    name: 'DrillElsewhere',
    message: expect.stringContaining('us-east-1'),
  });
});
