import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requireScope } from '../../../../core/database/repair/scope.ts';
import { logins, secrets, settings, startDatabase, type TestDatabase } from '../../../support/postgres.ts';
import { makeIncident } from '../../fakes.ts';
import { FakeBaselines } from '../fakes.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await startDatabase();
  const { username, password } = logins['stocker/sentinel'] ?? {};
  await database.query(`create role ${username} login password '${password}'; grant usage on schema stocker to ${username};
    create table stocker.unkeyed (n int)`);
});
afterAll(() => database.close());

const ask = (tables: readonly string[], state: 'alive' | 'gone' | 'unknown' = 'alive') => {
  const baselines = new FakeBaselines();
  baselines.all.push({
    version: 1,
    at: '2026-11-22T20:00:00.000Z',
    schemaVersion: '7',
    schemaHash: '',
    relations: { 'stocker.dropped': 'abc' },
    rows: {},
    appendOnly: {},
  });
  const incident = makeIncident({ mode: 'recovery', scope: { tables: [...tables] } });
  const { sessions, candidate } = database;
  return requireScope(incident, { state, address: candidate }, { settings, baselines, secrets, sessions });
};

describe('tables to repair', () => {
  test('are those that production has, or had when the sentinel looked last', async () => {
    await expect(ask(['stocker.product', 'stocker.dropped'])).resolves.toBeUndefined();
  });
  test.each([
    {
      case: 'nobody has',
      tables: ['stocker.prodcut'],
      says: 'neither in production nor in what the sentinel saw last; did you mean stocker.product?',
    },
    { case: 'has no primary key', tables: ['stocker.unkeyed'], says: 'stocker.unkeyed: it has no primary key' },
    { case: 'and another are wrong', tables: ['stocker.unkeyed', 'a.b'], says: /unkeyed.*; a\.b is neither/ },
  ])('are refused where one $$case', async ({ tables, says }) => {
    await expect(ask(tables)).rejects.toMatchObject({ name: 'ScopeRefused', message: expect.stringMatching(says) });
  });
  test.each(['gone', 'unknown'] as const)('are refused where production is %s', async (state) => {
    await expect(ask(['stocker.product'], state)).rejects.toMatchObject({ name: 'ScopeRefused' });
  });
});
