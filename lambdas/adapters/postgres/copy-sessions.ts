/** Sessions that stream rows over COPY, with back-pressure both ways. */
import { pipeline } from 'node:stream/promises';
import { from, to } from 'pg-copy-streams';
import type { CopySessions } from '../../../core/database/ports.ts';
import { connect, readAuthorities, sessionOf } from './sessions.ts';

/**
 * `pg` never clears the timer of a stream's query_timeout, which would keep a job alive until it fires: the server's own
 * timeout bounds a COPY, and TCP finds a server that is gone.
 */
const forStreams = { query_timeout: undefined, keepAlive: true };

export function copySessions(ca: () => string = readAuthorities): CopySessions {
  return {
    async open(address, credentials, options) {
      const client = await connect(ca(), address, credentials, options, forStreams);
      return {
        ...sessionOf(client),
        copyOut: (sql) => client.query(to(sql)),
        async copyIn(sql, rows) {
          const copy = client.query(from(sql));
          await pipeline(rows, copy);
          return copy.rowCount;
        },
      };
    },
  };
}
