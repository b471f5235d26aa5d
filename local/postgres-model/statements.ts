/**
 * The statements that a modelled database understands, each by its form, and what they answer. Catalogue queries whose
 * answer depends on nothing that a model changes are answered from recorded.json: what real PostgreSQL said. Any other
 * statement is refused by name: the model never pretends.
 */
import { type Content, microsecondsOf, momentOf, type PageDamage, SqlError } from './content.ts';
import { arrayOf, type Handler, type Question, recorded, text } from './question.ts';
import { lsnOf } from './replication.ts';
import { replicationHandlers } from './replication-statements.ts';
import type { ModelledServer } from './server.ts';
import type { Rows } from './wire.ts';

export const collapse = (sql: string): string => sql.replace(/\s+/g, ' ').replace(/;\s*$/, '').trim();

/** A statement, and who may know it. */
interface Known {
  readonly sql: string;
  readonly candidates: readonly { readonly handle: Handler; readonly match: RegExpExecArray }[];
}

/** The same few hundred statements are asked again and again. */
const known = new Map<string, Known>();

function understand(given: string): Known {
  const before = known.get(given);
  if (before !== undefined) return before;
  const sql = collapse(given);
  const candidates = [...handlers, ...replicationHandlers].flatMap(([form, handle]) => {
    const match = form.exec(sql);
    return match === null ? [] : [{ handle, match }];
  });
  if (known.size < 5000) known.set(given, { sql, candidates });
  return { sql, candidates };
}

/** Throws SqlError. */
export function answer(question: Question): Rows {
  const { sql, candidates } = understand(question.sql);
  const { content } = question.server;
  const target = relationIn(sql, question.parameters);
  if (target !== undefined) requireThere(content, target);
  for (const { handle, match } of candidates) {
    const rows = handle({ ...question, sql }, match);
    if (rows) return rows;
  }
  const rows = recorded().statements[sql];
  if (rows === undefined) throw new SqlError('0A000', `the modelled PostgreSQL does not know the statement: ${sql}`);
  return adjust(rows, content);
}

const none: Rows = [];
const one = (row: Readonly<Record<string, string | null>>): Rows => [row];
const nothing: Handler = () => none;

/** The table that a statement reads, by its name in the text or as its first parameter. */
function relationIn(sql: string, parameters: readonly (string | null)[]): string | undefined {
  const named = /\b(?:from|into|join) "?(stocker(?:_dr)?)"?\."?(\w+)"?/i.exec(sql);
  if (named) return `${named[1]}.${named[2]}`;
  const [first] = parameters;
  return sql.includes('::regclass') && first?.startsWith('stocker.') ? first : undefined;
}

function requireThere(content: Content, relation: string): void {
  const owner = [...content.dropped].find((gone) => relation === gone || relation.startsWith(`${gone}_`));
  if (owner !== undefined) throw new SqlError('42P01', `relation "${relation}" does not exist`);
}

/** What a statement that reads every page of a table meets. */
function readHeap(content: Content, table: string): void {
  if (content.pages.get(table) === 'heap')
    throw new SqlError('XX001', `invalid page in block 3 of relation "${table}"`);
}

/** What a statement that goes through an index meets. */
function readIndex(content: Content, index: string): void {
  if (content.pages.get(index) === 'index')
    throw new SqlError('XX001', `invalid page in block 1 of relation "${index}"`);
}

const damageOf = (content: Content, relation: string): PageDamage | undefined => content.pages.get(relation);

/** The table of an index, by PostgreSQL's own naming of the workload's indexes. */
const tableOf = (index: string): string => {
  const tables = Object.keys(recorded().rows);
  const owners = tables.filter((table) => index.startsWith(`${table}_`));
  return owners.sort((a, b) => b.length - a.length)[0] ?? index;
};

/** Rows that a sequential scan finds. */
function rowsOf(content: Content, table: string): number {
  const seeded = recorded().rows[table] ?? 0;
  return table === 'stocker.stock_movement' ? seeded + content.movements.length : seeded;
}

/** A zeroed page holds no rows, and nobody complains. */
const zeroedRows = 100;
function scanned(content: Content, table: string): number {
  const rows = rowsOf(content, table);
  return damageOf(content, table) === 'zeroed' ? Math.max(0, rows - zeroedRows) : rows;
}

/** A sum over rows, so that neighbouring ranges add up; the content of a seeded row is its number. */
function hashOf(content: Content, after: number, upTo: number): { rows: number; hash: bigint } {
  const last = Math.min(upTo, content.seededMovements);
  const first = Math.min(after, last);
  let hash = (BigInt(last) * BigInt(last + 1) - BigInt(first) * BigInt(first + 1)) / 2n;
  let rows = last - first;
  for (const { id, quantity } of content.movements)
    if (id > after && id <= upTo) {
      hash += BigInt(id) * 1000n + BigInt(quantity);
      rows++;
    }
  const missing = damageOf(content, 'stocker.stock_movement') === 'zeroed' ? Math.min(rows, zeroedRows) : 0;
  const changed = (content.rewritten ? 7n : 0n) + (content.altered.has('stocker.stock_movement') ? 13n : 0n);
  return { rows: rows - missing, hash: hash + changed * BigInt(rows) - BigInt(missing) };
}

const recovering = ({ following }: ModelledServer): string => (following === undefined ? 'f' : 't');

const handlers: readonly (readonly [RegExp, Handler])[] = [
  // Sessions
  [/^(set|reset|begin|commit|rollback)\b(?! prepared)/i, nothing],
  [
    /^select current_setting\('server_version'\) as version, pg_is_in_recovery\(\)/,
    ({ server }) => one({ version: '18.4', recovering: recovering(server), encrypted: 't' }),
  ],
  [
    /^select pg_is_in_recovery\(\) as recovering/,
    ({ server }) => one({ recovering: recovering(server), version: 'PostgreSQL 18.4 (modelled)' }),
  ],
  [/^select to_regclass\('stocker_dr\.paused_job'\)/, () => one({ name: null })],
  [/^select current_setting\('cron\.database_name'/, () => one({ database: null })],
  [/^select host\(inet_server_addr\(\)\)/, ({ server }) => one({ address: `127.0.0.1:${server.port}` })],
  [
    /^select pg_current_xact_id\(\)::text as xid/,
    ({ server }) => {
      const xid = String(server.nextTransaction());
      server.commit(() => {});
      return one({ xid, read_only: 'off' });
    },
  ],
  [/^select pg_xact_status\(/, () => one({ status: 'committed' })],
  [/^select not exists \(select 1 from pg_stat_activity where xact_start/, () => one({ ended: 't' })],
  [/^select to_char\(clock_timestamp\(\)/, ({ server }) => one({ begun: momentOf(server.tick()) })],
  // Roles
  [
    /^alter role "([^"]+)" (.+)$/,
    ({ server }, [, name = '', change = '']) => {
      const login = /\bnologin\b/.test(change) ? false : /\blogin\b/.test(change) ? true : undefined;
      const password = /password e?'((?:[^']|'')*)'/i.exec(change)?.[1]?.replaceAll("''", "'");
      const until = /valid until e?'([^']+)'/i.exec(change)?.[1];
      server.content.role(name);
      server.commit((content) => {
        const role = content.role(name);
        if (login !== undefined) role.login = login;
        if (password !== undefined) role.password = password;
        if (until !== undefined) role.validUntil = until === 'infinity' ? undefined : microsecondsOf(until);
      });
      return none;
    },
  ],
  [
    /^select rolname from pg_roles where rolname = any\(\$1\) and coalesce\(extract\(microseconds from rolvaliduntil\)::bigint % 1000 = (\d+), false\)$/,
    ({ server: { content }, parameters }, [, mark]) =>
      arrayOf(parameters[0])
        .filter((name) => (content.roles.get(name)?.validUntil ?? 0) % 1000 === Number(mark))
        .map((rolname) => ({ rolname })),
  ],
  [
    /^do \$expiry\$ .* rolname = any\(array\[([^\]]+)\]\) and isfinite\(rolvaliduntil\) and not .* % 1000 = (\d+), .* rolvaliduntil = e'([^']+)'/i,
    ({ server }, [, names = '', mark, until = '']) => {
      const roles = [...names.matchAll(/e'([^']+)'/gi)].flatMap(([, name = '']) =>
        server.content.roles.has(name) ? [name] : [],
      );
      const own = roles.find((name) => (server.content.role(name).validUntil ?? Number(mark)) % 1000 !== Number(mark));
      if (own !== undefined) throw new SqlError('P0001', `${own} has a VALID UNTIL of its own`);
      server.commit((content) => {
        for (const name of roles) if (content.role(name).login) content.role(name).validUntil = microsecondsOf(until);
      });
      return none;
    },
  ],
  [
    /^create role "([^"]+)" login$/,
    ({ server }, [, name = '']) => {
      server.commit((content) => content.roles.set(name, { login: true, password: '', superuser: false }));
      return none;
    },
  ],
  [
    /^select 1 from pg_roles where rolname = \$1$/,
    ({ server, parameters }) => (server.content.roles.has(text(parameters[0])) ? one({ '?column?': '1' }) : none),
  ],
  [
    /^select 1 from pg_roles where rolname = any\(\$1\)$/,
    ({ server, parameters }) =>
      arrayOf(parameters[0]).flatMap((name) => (server.content.roles.has(name) ? [{ '?column?': '1' }] : [])),
  ],
  [
    /^select rolname, rolsuper or rolcreaterole/,
    ({ server, parameters }) =>
      arrayOf(parameters[0])
        .filter((name) => server.content.roles.has(name))
        .map((rolname) => ({ rolname, powerful: 'f' })),
  ],
  [/^select rolname as name, exists \(select 1 from pg_roles admin/, nothing],
  [
    /^select pg_terminate_backend\(pid, 3000\) as gone from pg_stat_activity where usename = any\(\$1\)/,
    ({ server, parameters }) => {
      const roles = arrayOf(parameters[0]);
      return Array.from({ length: server.terminate((user) => roles.includes(user)) }, () => ({ gone: 't' }));
    },
  ],
  [/^select subname as name from pg_subscription/, nothing],
  [
    /^select gid, owner from pg_prepared_xacts/,
    ({ server }) => server.content.prepared.map(({ gid, owner }) => ({ gid, owner })),
  ],
  [
    /^rollback prepared e?'([^']+)'/i,
    ({ server }, [, gid]) => {
      server.commit((content) => {
        content.prepared = content.prepared.filter((each) => each.gid !== gid);
      });
      return none;
    },
  ],
  [/^(grant|revoke|alter default privileges|create (extension|schema|table|index) if not exists)\b/, nothing],
  [/^select nspname as name from pg_namespace/, nothing],
  [
    /^select format\('%I\.%I', nspname, relname\) as name from pg_class c join pg_namespace n on .* has_table_privilege/,
    nothing,
  ],
  [/^select oid::regprocedure::text as name from pg_proc where proname = 'bt_index_check'/, nothing],
  // Heartbeats
  [
    /^select to_char\(max\(at\).* from stocker_dr\.heartbeat(?: where at < \$1)?/,
    ({ server, sql, parameters }) => {
      const before = sql.includes('where at <') ? microsecondsOf(text(parameters[0])) : Number.POSITIVE_INFINITY;
      const newest = server.content.heartbeats.findLast(({ at }) => at < before);
      return one({ at: newest === undefined ? null : momentOf(newest.at) });
    },
  ],
  [
    /^with previous as .* insert into stocker_dr\.heartbeat/,
    ({ server }) => {
      const previous = server.content.heartbeats.at(-1);
      const xid = server.nextTransaction();
      const lsn = lsnOf(server.position);
      const at = server.tick(); // a row's own time is before its commit
      server.commit((content) => content.heartbeats.push({ at, lsn, xid }));
      return one({ at: momentOf(at), lsn, xid: String(xid), previous: previous ? momentOf(previous.at) : null });
    },
  ],
  // Tables
  [
    /^select nspname as schema, relname as name from pg_class/,
    ({ parameters }) => {
      const [schema = '', name = ''] = text(parameters[0]).split('.');
      return one({ schema, name });
    },
  ],
  [
    /^select count\(\*\) as rows from "(\w+)"\."(\w+)"$/,
    ({ server: { content }, byIndex }, [, schema, name]) => {
      const table = `${schema}.${name}`;
      // Pages that are all-visible are not read: what rotted or became zeros there counts all the same.
      if (byIndex) readIndex(content, `${table}_pkey`);
      else readHeap(content, table);
      return one({ rows: String(byIndex ? rowsOf(content, table) : scanned(content, table)) });
    },
  ],
  [/^explain \(costs off\)/, () => one({ 'QUERY PLAN': 'Aggregate -> Index Only Scan' })],
  [/^select coalesce\(max\("id"\), 0\) as key/, ({ server }) => one({ key: String(server.content.lastMovement) })],
  [
    /^select t\."id" as key from .* offset (\d+) limit 1/,
    ({ server, parameters }, [, offset]) => {
      readIndex(server.content, 'stocker.stock_movement_pkey');
      const [upTo, after] = [Number(parameters[0]), Number(parameters[1] ?? 0)];
      const key = after + Number(offset) + 1;
      return key < upTo && key <= server.content.lastMovement ? one({ key: String(key) }) : none;
    },
  ],
  [
    /^select count\(\*\) as rows, coalesce\(sum\(hash_record_extended/,
    ({ server: { content }, parameters }) => {
      readHeap(content, 'stocker.stock_movement');
      const { rows, hash } = hashOf(content, Number(parameters[1] ?? 0), Number(parameters[0]));
      return one({ rows: String(rows), hash: String(hash) });
    },
  ],
  [
    /^select quantity from stocker\.stock_movement where id = \$1/,
    ({ server, parameters }) => {
      const found = server.content.movements.find(({ id }) => String(id) === parameters[0]);
      return found ? one({ quantity: String(found.quantity) }) : none;
    },
  ],
  // Checks
  [
    /^select count\(dr_whole_row::text\) from "(\w+)"\."(\w+)"/,
    ({ server }, [, schema, name]) => {
      readHeap(server.content, `${schema}.${name}`);
      return one({ count: '0' });
    },
  ],
  [/^select pg_relation_size\(\$1::regclass\)/, () => one({ blocks: '1000' })],
  [
    /^select blkno, offnum, msg from verify_heapam/,
    ({ server, parameters }) => {
      readHeap(server.content, text(parameters[0]));
      return none;
    },
  ],
  [/^select extversion as version from pg_extension/, () => one({ version: '1.5' })],
  [
    /^select (?:\w+\.)?bt_index_(?:parent_)?check\(/,
    ({ server: { content }, parameters }) => {
      const index = text(parameters[0]);
      readIndex(content, index);
      readHeap(content, tableOf(index));
      return one({ bt_index_check: '' });
    },
  ],
  [
    /^select child\.attname as child/,
    () => one({ child: 'product_id', parent: 'id', parent_table: 'stocker.product' }),
  ],
  [
    /^select count\(\*\) as orphans from "(\w+)"\."(\w+)" child/,
    ({ server }, [, schema, name]) => {
      readHeap(server.content, `${schema}.${name}`);
      return one({ orphans: '0' });
    },
  ],
  [
    /^select pg_get_serial_sequence\(\$1, \$2\) as name/,
    ({ parameters }) => one({ name: `${text(parameters[0])}_${text(parameters[1])}_seq`, ascending: 't' }),
  ],
  [/^select furthest, last_value/, () => one({ furthest: '1', last_value: '1', behind: 'f' })],
  // The workload's own questions
  [
    /^SELECT count\(\*\) FROM stocker\.stock s FULL JOIN/,
    ({ server: { content } }) => {
      readHeap(content, 'stocker.stock_movement');
      return one({ count: content.inconsistent ? '160' : '0' });
    },
  ],
  [
    /^SELECT count\(\*\) FROM stocker\.customer_order o WHERE NOT EXISTS/,
    ({ server: { content } }) => {
      requireThere(content, 'stocker.order_line');
      return one({ count: '0' });
    },
  ],
  [/^SELECT count\(\*\) FROM stocker\.tenant WHERE id = 1/, () => one({ count: '1' })],
];

/** What was recorded, but for what has changed since: roles that log in, relations that are gone or altered. */
function adjust(rows: Rows, content: Content): Rows {
  return rows
    .filter((row) => !Object.values(row).some((value) => value !== null && isGone(content, value)))
    .map((row) => {
      const role = /^role (\S+) login$/.exec(row.setting ?? '')?.[1];
      if (role !== undefined && content.roles.has(role))
        return { ...row, value: content.roles.get(role)?.login ? 'yes' : 'no' };
      if (row.hash !== undefined && content.altered.has(row.name ?? '')) return { ...row, hash: 'altered' };
      return row;
    });
}

const isGone = (content: Content, value: string): boolean =>
  [...content.dropped].some((gone) => value === gone || value.startsWith(`${gone}_`));
