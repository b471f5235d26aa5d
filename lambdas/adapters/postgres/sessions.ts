/** Sessions over `pg`: verify-full TLS, values as PostgreSQL's text, every wait bounded. */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import pg from 'pg';
import type { Credentials, DatabaseAddress, Session, Sessions } from '../../../core/database/ports.ts';

const defaultConnectTimeoutMs = 5_000;
/** How long the client waits beyond the server's own timeout before it takes the server for dead. */
const graceMs = 2_000;

/** PostgreSQL's text, unconverted: a Date would drop microseconds, a number what lies beyond 2^53. */
const asText = { getTypeParser: () => (value: string) => value };

/**
 * The certificates that sign databases: `DATABASE_CA_FILE`, on AWS /var/runtime/ca-cert.pem, where the Node.js runtimes
 * keep Amazon's and RDS's (they are no longer loaded by default since Node.js 20).
 */
export function readAuthorities(): string {
  const file = process.env.DATABASE_CA_FILE;
  if (file === undefined || file === '') throw new Error('DATABASE_CA_FILE is not set: databases cannot be verified');
  return readFileSync(file, 'utf8');
}

export function sessions(ca: () => string = readAuthorities): Sessions {
  return {
    open: async (address, credentials, options) => sessionOf(await connect(ca(), address, credentials, options)),
  };
}

/** A client that is connected and authenticated, and hears what breaks; `more` wins over what is set here. */
export async function connect(
  ca: string,
  { address, port, database }: DatabaseAddress,
  { username, password }: Credentials,
  options: Parameters<Sessions['open']>[2],
  more: pg.ClientConfig = {},
): Promise<pg.Client> {
  const client = new pg.Client({
    host: address,
    port,
    database,
    user: username,
    password,
    application_name: options.applicationName,
    connectionTimeoutMillis: options.connectTimeoutMs ?? defaultConnectTimeoutMs,
    statement_timeout: options.statementTimeoutMs,
    query_timeout: options.statementTimeoutMs + graceMs,
    // A session whose client is gone ends its statement instead of finishing it.
    options: '-c client_connection_check_interval=1s',
    types: asText,
    // An address that is no name has no SNI; its certificate is checked against the address all the same.
    ssl: { ca, rejectUnauthorized: true, ...(isIP(address) === 0 && { servername: address }) },
    ...more,
  });
  // A connection that breaks between statements shows in the next one; unheard, it would end the process.
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (error) {
    await end(client);
    throw error;
  }
  return client;
}

export function sessionOf(client: pg.Client): Session {
  return {
    async query(sql, parameters) {
      // Without parameters the simple protocol is used, and several statements yield several results.
      const result: pg.QueryResult | pg.QueryResult[] = await client.query(sql, parameters && [...parameters]);
      const last = Array.isArray(result) ? result.at(-1) : result;
      return last?.rows ?? [];
    },
    close: () => end(client),
  };
}

/** `pg` closes the socket under a running statement, which the server then notices and cancels. */
const end = (client: pg.Client): Promise<void> => client.end().catch(() => {});
