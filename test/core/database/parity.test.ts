import { expect, test } from 'vitest';
import { checkParity } from '../../../core/database/check-parity.ts';
import type { Session } from '../../../core/database/ports.ts';
import { makeIncident, makeInstance, settings } from '../fakes.ts';
import { candidateName, FakeDatabases, FakeProfiles, makePlan } from './fakes.ts';

const session: Session = { query: async () => [{ setting: 'version', value: '17.4' }], close: async () => {} };
const monitored = (change: Parameters<typeof makeInstance>[0]) =>
  makeInstance({ settings: { encrypted: true, monitoringInterval: 60 }, ...change });

/** Source and copy as RDS lists them; only what RDS says differs. */
const check = (change: Parameters<typeof makeInstance>[0]) => {
  const copy = monitored({ identifier: candidateName, resourceId: 'db-COPY', ...change });
  const { identifier, resourceId } = copy;
  const candidate = { identifier, resourceId, address: 'copy', port: 5432, database: 'stocker' };
  return checkParity(
    { incident: makeIncident(), plan: makePlan(), candidate },
    {
      settings,
      databases: new FakeDatabases(monitored({}), copy),
      profiles: new FakeProfiles(),
      secrets: { credentials: async () => ({ username: 'sentinel', password: 'secret' }) },
      sessions: { open: async () => session },
    },
  );
};

test('finds equal what is equal', async () => {
  expect((await check({})).output.differences).toEqual([]);
});

const unmonitored = { encrypted: true, monitoringInterval: 0 };

test.each([
  { $case: 'RDS has settled', change: { settings: unmonitored }, name: 'ParityViolated', retryable: false },
  {
    $case: 'RDS still modifies the copy',
    change: { settings: unmonitored, status: 'configuring-enhanced-monitoring' },
    name: 'DatabaseNotReady',
    retryable: true,
  },
  {
    $case: 'a modification of the copy is pending',
    change: { settings: unmonitored, pending: ['MonitoringInterval'] },
    name: 'DatabaseNotReady',
    retryable: true,
  },
])('says $name of a difference when $case', async ({ change, name, retryable }) => {
  const violated = check(change);
  await expect(violated).rejects.toMatchObject({ name, retryable });
  await expect(violated).rejects.toThrow('monitoringInterval');
});
