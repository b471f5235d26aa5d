import { expect, test } from 'vitest';
import { RoleUnusable } from '../../../core/database/errors.ts';
import { withSession } from '../../../core/database/sql.ts';

const failing = (error: Error) =>
  withSession(
    { open: async () => ({ query: () => Promise.reject(error), close: async () => {} }) },
    { address: 'copy.example', port: 5432, database: 'stocker' },
    { username: 'sentinel', password: 'secret' },
    (session) => session.query('select 1'),
  );
const coded = (code: string) => Object.assign(new Error(`failed with ${code}`), { code });

test.each([
  { case: 'a socket that ends under a statement', error: new Error('Connection terminated unexpectedly') },
  { case: 'a client that gives up waiting', error: new Error('Query read timeout') },
  { case: 'a server that shuts down', error: coded('57P01') },
  { case: 'too many connections', error: coded('53300') },
  { case: 'a network that is away', error: coded('ECONNRESET') },
])('$case is worth another try', async ({ error }) => {
  await expect(failing(error)).rejects.toMatchObject({ name: 'DatabaseNotReady', retryable: true, cause: error });
});

test.each([
  { case: 'an answer of PostgreSQL', error: coded('42501') },
  { case: 'a refused login', error: coded('28000') },
  { case: 'a certificate of another authority', error: coded('SELF_SIGNED_CERT_IN_CHAIN') },
  { case: 'an error of the product', error: RoleUnusable('the connection role is unusable') },
  { case: 'a mistake in the code', error: new TypeError('rows is undefined') },
])('$case is thrown as it is', async ({ error }) => {
  await expect(failing(error)).rejects.toBe(error);
});
