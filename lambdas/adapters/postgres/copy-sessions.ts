/** Sessions that stream rows over COPY, with back-pressure both ways. */
import { pipeline } from 'node:stream/promises';
import { from, to } from 'pg-copy-streams';
import type { CopySessions } from '../../../core/database/ports.ts';
import { connect, readAuthorities, sessionOf } from './sessions.ts';

export function copySessions(ca: () => string = readAuthorities): CopySessions {
  return {
    async open(address, credentials, options) {
      const client = await connect(ca(), address, credentials, options);
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
