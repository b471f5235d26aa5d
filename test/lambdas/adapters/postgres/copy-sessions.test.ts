import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { CopySession } from '../../../../core/database/ports.ts';
import { copySessions } from '../../../../lambdas/adapters/postgres/copy-sessions.ts';
import { logins, startDatabase, type TestDatabase } from '../../../support/postgres.ts';

let database: TestDatabase;
let source: CopySession;
let target: CopySession;

beforeAll(async () => {
  database = await startDatabase();
  const login = logins['stocker/master'];
  if (!login) throw new Error('no master');
  const options = { statementTimeoutMs: 20_000, applicationName: 'test' };
  const sessions = copySessions(() => database.authority);
  source = await sessions.open(database.candidate, login, options);
  target = await sessions.open(database.candidate, login, options);
});
afterAll(async () => {
  await source.close();
  await target.close();
  await database.close();
});

describe('rows that are streamed from one session to another', () => {
  test('arrive byte for byte', async () => {
    await target.query('create temp table arrived (n int, words text, bytes bytea)');
    const rows =
      "select n, repeat(E'tab\\t line\\n \\\\. é' || n, 40), sha256(n::text::bytea) from generate_series(1, 20000) n";
    const count = await target.copyIn('copy pg_temp.arrived from stdin', source.copyOut(`copy (${rows}) to stdout`));
    expect(count).toBe(20_000);
    const hash = 'select sum(hash_record_extended(row(n, words, bytes), 0)) as hash';
    const [sent] = await source.query(`${hash} from (${rows}) as sent (n, words, bytes)`);
    expect(await target.query(`${hash} from arrived`)).toEqual([sent]);
  });

  test('wait with the server for a slow reader: they do not pile up here', async () => {
    const [pid] = await source.query('select pg_backend_pid() as own');
    let seen = 0;
    for await (const chunk of source.copyOut(
      "copy (select repeat('x', 1000) from generate_series(1, 200000)) to stdout",
    )) {
      if (seen === 0)
        await vi.waitFor(async () => {
          const waiting = 'select wait_event from pg_stat_activity where pid = $1';
          expect(await target.query(waiting, [pid?.own])).toEqual([{ wait_event: 'ClientWrite' }]);
        }, 10_000);
      seen += chunk.length;
    }
    expect(seen).toBe(200_200_000);
  });

  test('leave nothing that keeps the process alive', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length;
    const before = timers();
    await target.query('create temp table timed (n int)');
    await target.copyIn('copy pg_temp.timed from stdin', source.copyOut('copy (select 1) to stdout'));
    expect(timers()).toBeLessThanOrEqual(before);
  });

  test.each([
    {
      case: 'the target refuses a row',
      from: "copy (select 'no number') to stdout",
      to: 'copy pg_temp.kept from stdin',
      code: '22P02',
    },
    {
      case: 'the target is not there',
      from: 'copy (select 1) to stdout',
      to: 'copy pg_temp.nowhere from stdin',
      code: '42P01',
    },
    {
      case: 'the source is not there',
      from: 'copy nowhere to stdout',
      to: 'copy pg_temp.kept from stdin',
      code: '42P01',
    },
    {
      case: 'the source fails half-way',
      from: 'copy (select 1 / (5000 - n) from generate_series(1, 9000) n) to stdout',
      to: 'copy pg_temp.kept from stdin',
      code: '22012',
    },
  ])('are refused where $$case, and both sessions go on', async ({ from, to, code }) => {
    await target.query('create temp table if not exists kept (n int)');
    await expect(target.copyIn(to, source.copyOut(from))).rejects.toMatchObject({ code });
    expect(await source.query('select 1 as alive')).toEqual([{ alive: '1' }]);
    expect(await target.query('select count(*) as rows from kept')).toEqual([{ rows: '0' }]);
  });
});
