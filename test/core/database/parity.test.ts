import { expect, test } from 'vitest';
import { checkParity } from '../../../core/database/check-parity.ts';
import type { Session } from '../../../core/database/ports.ts';
import { seenOf } from '../../../core/database/source.ts';
import { FakeClock, makeIncident, makeInstance, settings } from '../fakes.ts';
import { candidateName, FakeDatabases, FakeProfiles, makePlan } from './fakes.ts';

const session: Session = { query: async () => [{ setting: 'version', value: '17.4' }], close: async () => {} };
const monitored = (change: Parameters<typeof makeInstance>[0]) =>
  makeInstance({ settings: { encrypted: true, monitoringInterval: 60 }, ...change });

/** Source and copy as RDS lists them; only what RDS says differs. */
const check = (
  change: Parameters<typeof makeInstance>[0],
  { incident = makeIncident(), plan = makePlan(), profiles = new FakeProfiles() } = {},
) => {
  const copy = monitored({ identifier: candidateName, resourceId: 'db-COPY', ...change });
  const { identifier, resourceId } = copy;
  const candidate = { identifier, resourceId, address: 'copy', port: 5432, database: 'stocker' };
  return checkParity(
    { incident, plan, candidate },
    {
      settings,
      clock: new FakeClock(),
      databases: new FakeDatabases(monitored({}), copy),
      profiles,
      secrets: { credentials: async () => ({ username: 'sentinel', password: 'secret' }) },
      sessions: { open: async () => session },
    },
  );
};

test('finds equal what is equal', async () => {
  expect((await check({})).output.differences).toEqual([]);
});

test('records what the copy of a recovery is, with the protection it is to have: it may be lost before the first look at it', async () => {
  const profiles = new FakeProfiles();
  const incident = makeIncident({ mode: 'recovery' });
  const { seen } = makePlan({ seen: seenOf(monitored({ settings: { ...monitored({}).settings, multiAz: true } })) });
  await check({}, { profiles });
  expect([...profiles.all]).toEqual([]); // The copy of a drill is deleted afterwards.

  await check({}, { profiles, incident, plan: makePlan({ seen }) });
  expect(profiles.all.get('db-COPY')).toMatchObject({
    identifier: candidateName,
    seen: { settings: { monitoringInterval: 60, multiAz: true } },
    facts: { version: '17.4' },
  });
});

const unmonitored = { encrypted: true, monitoringInterval: 0 };

test.each([
  { case: 'RDS has settled', change: { settings: unmonitored }, name: 'ParityViolated', retryable: false },
  {
    case: 'RDS still modifies the copy',
    change: { settings: unmonitored, status: 'configuring-enhanced-monitoring' },
    name: 'DatabaseNotReady',
    retryable: true,
  },
  {
    case: 'a modification of the copy is pending',
    change: { settings: unmonitored, pending: ['MonitoringInterval'] },
    name: 'DatabaseNotReady',
    retryable: true,
  },
])('says $name of a difference when $case', async ({ change, name, retryable }) => {
  const violated = check(change);
  await expect(violated).rejects.toMatchObject({ name, retryable });
  await expect(violated).rejects.toThrow('monitoringInterval');
});
