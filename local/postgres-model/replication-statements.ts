/** What is asked about replication, and what a database took that no other has. */
import { microsecondsOf, momentOf, SqlError } from './content.ts';
import { arrayOf, type Handler, recorded, text } from './question.ts';
import { bytesOf, lsnOf } from './replication.ts';

export const replicationHandlers: readonly (readonly [RegExp, Handler])[] = [
  [
    /^select to_char\(pg_last_xact_replay_timestamp\(\)/,
    ({ server }) => {
      server.following?.replay();
      return [{ replayed: server.replayedAt === undefined ? null : momentOf(server.replayedAt) }];
    },
  ],
  [
    /^select pg_current_wal_flush_lsn\(\)::text as lsn$/,
    ({ server }) => {
      if (server.following !== undefined) throw new SqlError('55000', 'recovery is in progress');
      return [{ lsn: lsnOf(server.position) }];
    },
  ],
  [
    /^select pg_last_wal_replay_lsn\(\)::text as lsn, pg_wal_lsn_diff\(\$1/,
    ({ server, parameters }) => {
      if (server.following === undefined) return [{ lsn: null, bytes: null }];
      server.following.replay();
      const lsn = lsnOf(server.position);
      return [{ lsn, bytes: String(bytesOf(text(parameters[0])) - bytesOf(lsn)) }];
    },
  ],
  [
    /^select to_char\(pg_postmaster_start_time\(\).* from pg_roles where rolname = any\(\$1\) and rolcanlogin having count/,
    ({ server, parameters }) => {
      const names = arrayOf(parameters[0]).filter((name) => server.content.roles.get(name)?.login);
      const expired = !names.some((name) => server.mayWrite(name));
      return names.length > 0 ? [{ started: momentOf(server.startedAt), expired: expired ? 't' : 'f' }] : [];
    },
  ],
  [
    /^select format\('%I\.%I', nspname, relname\) as name from pg_class c .* relpersistence = 'p'/,
    ({ server: { content } }) =>
      Object.keys(recorded().rows)
        .filter((name) => !content.dropped.has(name))
        .map((name) => ({ name })),
  ],
  [
    /^select to_jsonb\(t\)::text as row, .* from (\S+) t where .* pg_xact_commit_timestamp\(t\.xmin\) > \$1::timestamptz/,
    ({ server: { content }, parameters }, [, table]) => {
      if (table !== 'stocker.stock_movement') return []; // the only one that grows
      const after = microsecondsOf(text(parameters[0]));
      const rows = content.movements.filter(({ at }) => at > after);
      return rows.map(({ id, quantity, at }) => ({
        row: JSON.stringify({ id, quantity }),
        at: momentOf(at),
        total: String(rows.length),
      }));
    },
  ],
];
