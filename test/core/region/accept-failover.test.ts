import { expect, test } from 'vitest';
import { type AcceptFailoverContext, acceptFailover, type Direction } from '../../../core/region/accept-failover.ts';
import { FakeDatabases } from '../database/fakes.ts';
import {
  activeDatabase,
  executionArn,
  FakeClock,
  FakeControl,
  FakeExecutions,
  FakeIncidents,
  makeLease,
  openedAt,
  settings,
} from '../fakes.ts';

const execution = { arn: executionArn.replace('us-east-1', 'us-west-2'), startedAt: openedAt };

function makeContext(change: Partial<AcceptFailoverContext> = {}) {
  return {
    settings,
    here: settings.dr,
    clock: new FakeClock(),
    control: new FakeControl(),
    executions: new FakeExecutions(),
    incidents: new FakeIncidents(),
    databases: new FakeDatabases(),
    alarms: {
      ringing: async () => [],
      state: async () => ({ value: 'ALARM' as const, since: openedAt }),
    },
    ...change,
  } satisfies AcceptFailoverContext;
}
const accept = (request: unknown, context: AcceptFailoverContext = makeContext(), direction: Direction = 'away') =>
  acceptFailover({ request, execution, direction }, context);

const recovery = { mode: 'recovery', confirm: settings.environment, reason: 'us-east-1 is gone' };
const home = () => {
  const control = new FakeControl();
  control.active = { ...activeDatabase, region: settings.dr.region };
  return makeContext({ here: settings.primary, control });
};

test('takes a person who says no style to mean a Region that is lost', async () => {
  const { incident, run } = await accept(recovery);
  expect(incident).toMatchObject({ scenario: 'region', mode: 'recovery', style: 'ungraceful', region: 'us-west-2' });
  expect(run).toMatchObject({ region: 'us-west-2', activeRegion: 'us-east-1' });
});

test('takes a waiver from the start, for a person who answers for it', async () => {
  const waiver = { checks: ['primary-lost'], by: 'alice', reason: 'AWS told us' };
  const { incident } = await accept({ ...recovery, waiver });
  expect(incident.waiver).toEqual(waiver);
});

test('comes home gracefully, from the primary Region', async () => {
  const { incident } = await accept(recovery, home(), 'home');
  expect(incident).toMatchObject({ scenario: 'region', style: 'graceful', region: 'us-east-1' });
});

test.each<{ case: string; request: object; says: readonly string[] }>([
  { case: 'a style that is none', request: { style: 'gently' }, says: ['style = "gently"', '"graceful"'] },
  { case: 'a restore point', request: { restoreTo: 'latest' }, says: ['restoreTo', 'all of production moves'] },
  { case: 'named tables', request: { scope: { tables: ['stocker.product'] } }, says: ['scope'] },
  { case: 'a waiver without a name', request: { waiver: { checks: ['primary-lost'] } }, says: ['waiver', '"by"'] },
  { case: 'a misspelt field', request: { stile: 'graceful' }, says: ['stile', 'is not a field'] },
  { case: 'no confirmation', request: { confirm: undefined }, says: ['confirm', settings.environment] },
])('refuses $case, naming field and fix', async ({ request, says }) => {
  const refused = accept({ ...recovery, ...request });
  await expect(refused).rejects.toMatchObject({ name: 'InvalidRequest' });
  for (const text of says) await expect(refused).rejects.toThrow(text);
});

test('refuses a failover to the Region that is active, and says the way back', async () => {
  const control = new FakeControl();
  control.active = { ...activeDatabase, region: settings.dr.region };
  await expect(accept(recovery, makeContext({ control }))).rejects.toThrow(
    /is active already.*dr -- failback.*dr -- retry/s,
  );
});

test('refuses to come home where production is home', async () => {
  await expect(accept(recovery, makeContext({ here: settings.primary }), 'home')).rejects.toThrow('is active already');
});

test.each<{ case: string; context: AcceptFailoverContext; direction: Direction; request: object }>([
  { case: 'a failover in the primary Region', context: home(), direction: 'away', request: recovery },
  { case: 'a failback in the DR Region', context: makeContext(), direction: 'home', request: recovery },
  { case: 'a drill of the way home', context: home(), direction: 'home', request: { reason: 'drill' } },
  {
    case: 'a way home without the help of both',
    context: home(),
    direction: 'home',
    request: { ...recovery, style: 'ungraceful' },
  },
])('refuses $case', async ({ context, direction, request }) => {
  await expect(accept(request, context, direction)).rejects.toMatchObject({ name: 'InvalidRequest' });
});

test('refuses while a failback, or any other recovery, runs', async () => {
  const control = new FakeControl();
  control.lease = makeLease({
    mode: 'recovery',
    scenario: 'region',
    executionArn: `${execution.arn}-2`,
    region: 'us-west-2',
  });
  const running = { status: async () => 'RUNNING' as const };
  await expect(accept(recovery, makeContext({ control, executions: running }))).rejects.toMatchObject({
    name: 'RecoveryInProgress',
  });
});

test('does not ask a lost Region whether its execution still runs', async () => {
  const control = new FakeControl();
  control.lease = makeLease({ mode: 'recovery', executionArn, region: 'us-east-1' });
  const silent = {
    status: async () => {
      throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
    },
  };
  await expect(accept(recovery, makeContext({ control, executions: silent }))).resolves.toBeDefined();
});

test.each([
  {
    case: 'is older than its age allows',
    at: '2026-11-22T18:00:00Z',
    value: 'ALARM' as const,
    says: 'old, older than',
  },
  { case: 'does not ring any more', at: '2026-11-22T20:14:00Z', value: 'OK' as const, says: 'does not ring any more' },
])('refuses an alarm that $case', async ({ at, value, says }) => {
  const alarms = { ringing: async () => [], state: async () => ({ value, since: at }) };
  const trigger = { kind: 'alarm', name: 'stocker-dr-staging-region-primary-lost', at };
  await expect(accept({ ...recovery, trigger }, makeContext({ alarms }))).rejects.toThrow(says);
});

test('skips the scheduled drill where production is, and defers it while an alarm rings', async () => {
  const drill = { reason: 'semi-annual', trigger: { kind: 'schedule', name: 'drill' } };
  const control = new FakeControl();
  control.active = { ...activeDatabase, region: settings.dr.region };
  await expect(accept(drill, makeContext({ control }))).rejects.toMatchObject({ name: 'DrillElsewhere' });
  const alarms = { ringing: async () => ['region-probe-silent'], state: async () => undefined };
  await expect(accept(drill, makeContext({ alarms }))).rejects.toMatchObject({ name: 'DrillDeferred' });
});
