import { expect, test } from 'vitest';
import { writeHeartbeat } from '../../../core/database/heartbeat.ts';
import { lookForDamage } from '../../../core/database/look-for-damage.ts';
import { FakeClock, FakeControl, settings } from '../fakes.ts';
import { FakeBaselines, FakeDatabases, FakeLooks, FakeMetrics, FakeProfiles } from './fakes.ts';

const unused = { credentials: () => Promise.reject(new Error('no login is needed')) };
const closed = { open: () => Promise.reject(new Error('nothing is opened')) };

/** Where the active database is in us-east-1. */
const contextIn = (region: string, metrics: FakeMetrics) => ({
  ...{ settings, region, metrics, clock: new FakeClock(), control: new FakeControl() },
  ...{ secrets: unused, sessions: closed, baselines: new FakeBaselines(), lookSeconds: 1 },
  ...{ databases: new FakeDatabases(), looks: new FakeLooks(), profiles: new FakeProfiles() },
});

test.each([
  { case: 'the heartbeat', run: writeHeartbeat, says: { written: false } },
  {
    case: 'the sentinel',
    run: (context: ReturnType<typeof contextIn>) => lookForDamage({}, context),
    says: { verdict: 'not-here' },
  },
])('$case touches nothing in the Region that is not active, and says so to its alarm', async ({ run, says }) => {
  const metrics = new FakeMetrics();
  expect(await run(contextIn('us-west-2', metrics))).toMatchObject(says);
  expect(metrics.values).toEqual({ ActiveElsewhere: 1 });
});

test('the active Region never claims that the database is elsewhere', async () => {
  const metrics = new FakeMetrics();
  await expect(writeHeartbeat(contextIn('us-east-1', metrics))).rejects.toMatchObject({ name: 'HeartbeatFailed' });
  expect(metrics.values).toEqual({ HeartbeatWritten: 0 });
});
