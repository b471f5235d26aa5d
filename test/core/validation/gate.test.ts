import { expect, test } from 'vitest';
import type { Session } from '../../../core/database/ports.ts';
import { planValidation } from '../../../core/validation/plan-validation.ts';
import { makePlan } from '../database/fakes.ts';
import { FakeClock, makeIncident, settings } from '../fakes.ts';

const gibibyte = 2 ** 30;
/** A catalog of one table of that size. */
const sized = (bytes: number): Session => ({
  query: async (sql) =>
    sql.includes('count_index_bytes')
      ? [{ name: 'stocker.big', bytes: String(bytes), blocks: String(bytes / 8192), count_index_bytes: null }]
      : [],
  close: async () => {},
});

const plan = (bytes: number, tier: 'gate' | 'deep') =>
  planValidation(
    {
      incident: makeIncident(),
      plan: makePlan(),
      candidate: { identifier: 'copy', resourceId: 'db-COPY', address: 'copy', port: 5432, database: 'stocker' },
      tier,
    },
    {
      clock: new FakeClock(),
      settings: { ...settings, validation: { ...settings.validation, gateSeconds: 60, concurrency: 1 } },
      secrets: { credentials: async () => ({ username: 'sentinel', password: 'secret' }) },
      sessions: { open: async () => sized(bytes) },
    },
  );

test('a gate that fits into its time is planned', async () => {
  const { pieces, until } = (await plan(gibibyte, 'gate')).output;
  expect(pieces.length).toBeGreaterThan(3);
  expect(until - new FakeClock().now().getTime()).toBe(60_000);
});

test('a gate that would outlast its time is refused before it begins, naming the setting and what it needs', async () => {
  const refused = plan(4 * gibibyte, 'gate');
  await expect(refused).rejects.toMatchObject({ name: 'ValidationUnknown' });
  await expect(refused).rejects.toThrow(/needs about 2 min.*validation\.gateSeconds allows 1 min/);
});

test('the deep tier has no such limit: the application is already served', async () => {
  await expect(plan(4 * gibibyte, 'deep')).resolves.toHaveProperty('output');
});
