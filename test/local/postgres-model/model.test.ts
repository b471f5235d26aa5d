/** What the modelled PostgreSQL does beside its contract: it never pretends. */
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { stepTimeouts } from '../../../core/database/sql.ts';
import { End } from '../../../local/virtual/stream.ts';
import { addressOf, master, openModel, settings } from './engines.ts';

const { name: databaseName } = settings.database;

describe('the modelled PostgreSQL', () => {
  test('refuses a statement that it does not know, by name, and goes on', async () => {
    const { engine, configuration, sessions } = await openModel();
    const database = await engine.create(configuration, { user: 'stocker', password: master.password }, databaseName);
    const session = await sessions.open(addressOf(database), master, stepTimeouts);
    for (const parameters of [undefined, ['a parameter']])
      await expect(session.query('select * from somewhere_else', parameters)).rejects.toMatchObject({
        code: '0A000',
        message: expect.stringContaining('select * from somewhere_else'),
      });
    expect(await session.query('select 1 from pg_roles where rolname = $1', ['nobody'])).toEqual([]);
    await session.close();
    await engine.close();
  });

  test('agrees to TLS, and goes on in plain text', async () => {
    const { engine, configuration, network } = await openModel();
    const database = await engine.create(configuration, { user: 'stocker', password: master.password }, databaseName);
    const stream = new End();
    network.connect(database.port, stream);
    stream.write(Buffer.from('0000000804d2162f', 'hex')); // SSLRequest
    const [answer] = await once(stream, 'data');
    expect(String(answer)).toBe('S');
    stream.destroy();
    await engine.close();
  });
});
