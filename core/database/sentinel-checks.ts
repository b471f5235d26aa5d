/** The sentinel's questions. Those that could take long take turns from look to look, and every one ends in time. */
import type { Settings } from '../settings.ts';
import type { Baseline, LookProgress } from './contracts.ts';
import { type Check, checkKey } from './damage-list.ts';
import type { Session } from './ports.ts';
import { countRows, endOfSlice, hashRows, resolveRelation } from './relations.ts';
import { asMoment, isAnswered, isDamage, messageOf, quoteIdentifier, sqlState } from './sql.ts';

/** One look in progress. */
export interface Looking {
  readonly session: Session;
  readonly settings: Settings;
  readonly begunAt: string;
  readonly last: Baseline | undefined;
  readonly leftMs: () => number;
  /** The bound that the session has now; a statement's is told where it is another second. */
  limitSeconds: number;
  readonly findings: { check: Check; subject: string; detail: string; kind: 'corrupted' | 'suspicious' }[];
  /** Key of each check that passed in this look → since when what it saw is known to be sound. */
  readonly passed: Record<string, string>;
  readonly unknown: string[];
  /** The connection broke. */
  lost: boolean;
}

/** 42P01 no such table, 3F000 no such schema, 42703 no such column: something that was there is gone. */
const absent = new Set(['42P01', '3F000', '42703']);

/** Asks within the time that is left of `budgetMs` and sorts a failure; undefined: no answer, or damage. */
export async function ask<T>(
  looking: Looking,
  check: Check,
  subject: string,
  question: () => Promise<T>,
  budgetMs = looking.leftMs(),
): Promise<T | undefined> {
  const { last, findings, unknown } = looking;
  const limit = Math.min(budgetMs, looking.leftMs());
  try {
    if (limit <= 0) throw new Error('out of time');
    await boundTo(limit, looking);
    return await question();
  } catch (error) {
    const detail = `${sqlState(error) ?? ''} ${messageOf(error)}`.trim();
    if (isDamage(error)) findings.push({ check, subject, detail, kind: 'corrupted' });
    // What was never there is a slip in the settings, not damage.
    else if (last !== undefined && absent.has(sqlState(error) ?? ''))
      findings.push({ check, subject, detail, kind: 'suspicious' });
    else unknown.push(`${subject}: ${detail}`);
    if (limit > 0 && !isAnswered(error)) looking.lost = true;
    return undefined;
  }
}

/** Up to the full second: a round trip less for most statements, and none goes on for more than a second too long. */
async function boundTo(ms: number, looking: Looking): Promise<void> {
  const seconds = Math.ceil(ms / 1000);
  if (seconds === looking.limitSeconds) return;
  await looking.session.query(`set statement_timeout = '${seconds}s'`);
  looking.limitSeconds = seconds;
}

export function pass(looking: Looking, check: Check, subject: string, since = looking.begunAt): void {
  looking.passed[checkKey(check, subject)] = since;
}

export async function countAll(looking: Looking): Promise<Record<string, string>> {
  const rows: Record<string, string> = {};
  for (const table of Object.keys(looking.settings.validation.rowFloors)) {
    const count = await ask(looking, 'rows', table, () => countRows(looking.session, table));
    if (count !== undefined) rows[table] = count;
  }
  return rows;
}

/** What compares services must hold at any moment, also under load: a wrong update shows here. */
export async function askConsistency(looking: Looking): Promise<void> {
  const { session, settings, findings } = looking;
  for (const { name, kind, sql, expect } of settings.validation.queries) {
    if (kind !== 'consistency') continue;
    const value = await ask(looking, 'query', name, async () => {
      const [row] = await session.query(sql);
      return Object.values(row ?? {})[0] ?? 'null';
    });
    if (value === undefined) continue;
    const holds = typeof expect === 'boolean' ? value === (expect ? 't' : 'f') : value === String(expect);
    if (holds) pass(looking, 'query', name);
    else findings.push({ check: 'query', subject: name, detail: `${value}, expected ${expect}`, kind: 'suspicious' });
  }
}

export interface Bound {
  readonly begun: string;
  /** Append-only table → its highest key. */
  readonly keys: Readonly<Record<string, string>>;
}

export async function highestKeys(session: Session, appendOnly: Readonly<Record<string, string>>): Promise<Bound> {
  const keys: Record<string, string> = {};
  for (const [table, column] of Object.entries(appendOnly)) {
    const relation = await resolveRelation(session, table);
    const [newest] = await session.query(`select coalesce(max(${quoteIdentifier(column)}), 0) as key from ${relation}`);
    keys[table] = newest?.key ?? '0';
  }
  const [row] = await session.query(`select ${asMoment('clock_timestamp()')} as begun`);
  return { begun: row?.begun ?? '', keys };
}

/**
 * Keys are handed out before their transactions commit. Once every transaction that runs began after a key was seen,
 * no row at or below it can appear any more. Short ones end while this waits; a long one leaves it for the next look.
 */
export async function haveEnded(session: Session, begun: string): Promise<boolean> {
  for (let round = 0; round < 20; round += 1) {
    const [row] = await session.query(
      `select not exists (select 1 from pg_stat_activity where xact_start <= $1::timestamptz
           and pid <> pg_backend_pid() and datname = current_database())
         and not exists (select 1 from pg_prepared_xacts where prepared <= $1::timestamptz) as ended`,
      [begun],
    );
    if (row?.ended === 't') return true;
    await session.query('select pg_sleep(0.1)');
  }
  return false;
}

type Content = Baseline['appendOnly'][string];

/** A slice is hashed in well under a second (postgres-facts: 1.4 s for 1 GB). */
const sliceRows = 100_000;
const add = (a: string | undefined, b: string) => String(BigInt(a ?? '0') + BigInt(b));

/** Hashes on from `known` towards `upTo` while there is time: the sum over rows is additive. */
async function hashTowards(
  looking: Looking,
  table: string,
  column: string,
  { known, upTo, untilMs }: { known: Content | undefined; upTo: string; untilMs: number },
): Promise<Content | undefined> {
  const { session } = looking;
  let reached = known;
  while (reached?.key !== upTo && looking.leftMs() > untilMs) {
    const after: string | undefined = reached?.key;
    const grown = await ask(looking, 'content', table, async () => {
      const key = await endOfSlice(session, table, column, { after, upTo, rows: sliceRows });
      return { key, ...(await hashRows(session, table, column, { after, upTo: key })) };
    });
    if (grown === undefined) break;
    reached = { key: grown.key, rows: add(reached?.rows, grown.rows), hash: add(reached?.hash, grown.hash) };
  }
  return reached;
}

/** What append-only tables hold by now: only what is new since the last sound look is hashed. */
export async function extendContent(looking: Looking, bound: Bound, untilMs: number): Promise<Baseline['appendOnly']> {
  const hashes: Record<string, Content> = {};
  for (const [table, column] of Object.entries(looking.settings.validation.appendOnly)) {
    const [known, upTo] = [looking.last?.appendOnly[table], bound.keys[table]];
    // Fewer than before: rows at the end are gone, which the second hashing says.
    const grows = upTo !== undefined && (known === undefined || BigInt(upTo) > BigInt(known.key));
    const reached = grows ? await hashTowards(looking, table, column, { known, upTo, untilMs }) : known;
    if (reached !== undefined) hashes[table] = reached;
    // Read for the first time, and whole: this is what later looks compare with.
    if (known === undefined && reached?.key === upTo) pass(looking, 'content', table);
  }
  return hashes;
}

/**
 * Hashes again what the baseline knows of each append-only table, from its first row on, as far as there is time, and goes
 * on from there in the next look. At the end of a round the content must be what it was: nobody rewrites these rows.
 */
export async function rehashContent(
  looking: Looking,
  progress: LookProgress | undefined,
  untilMs: number,
): Promise<LookProgress['rehash']> {
  const rounds: LookProgress['rehash'] = {};
  for (const [table, column] of Object.entries(looking.settings.validation.appendOnly)) {
    const target = looking.last?.appendOnly[table];
    if (target === undefined) continue;
    const open = progress?.rehash[table];
    const round = open ?? { ...nothing, begunAt: looking.begunAt, target: JSON.stringify(target) };
    const goal: Content = JSON.parse(round.target);
    const known = round.key === '' ? undefined : { key: round.key, rows: round.rows, hash: round.hash };
    const reached = await hashTowards(looking, table, column, { known, upTo: goal.key, untilMs });
    if (reached?.key === goal.key) conclude(looking, table, { ...reached, begunAt: round.begunAt }, goal);
    else rounds[table] = { begunAt: round.begunAt, target: round.target, ...(reached ?? nothing) };
  }
  return rounds;
}

const nothing: Content = { key: '', rows: '0', hash: '0' };

function conclude(looking: Looking, table: string, reached: Content & { begunAt: string }, goal: Content): void {
  if (reached.rows === goal.rows && reached.hash === goal.hash) {
    // A row may have been rewritten after it was read: sound is what was there when the round began.
    pass(looking, 'content', table, reached.begunAt);
    return;
  }
  const detail =
    reached.rows === goal.rows
      ? `rows up to key ${goal.key} were rewritten`
      : `${reached.rows} rows up to key ${goal.key}; there were ${goal.rows}`;
  looking.findings.push({ check: 'content', subject: table, detail, kind: 'suspicious' });
}

const indexesSql = `
  select format('%I.%I', nspname, c.relname) as name, indrelid::regclass::text as relation
  from pg_index join pg_class c on c.oid = indexrelid join pg_namespace n on n.oid = c.relnamespace
    join pg_am a on a.oid = c.relam
  where amname = 'btree' and c.relkind = 'i' and indisvalid and indisready and c.relpersistence = 'p'
    and nspname !~ '^pg_' and nspname <> 'information_schema' order by 1`;

/** B-trees, each with its name and its table. */
export const indexesOf = (session: Session) => session.query(indexesSql);

/** An extension is where the master's search path begins: in a schema of the master's own name, which only its path has. */
const amcheckSql = "select extnamespace::regnamespace::text as schema from pg_extension where extname = 'amcheck'";

/** Where amcheck is. */
export const amcheckOf = (session: Session) => session.query(amcheckSql);

/**
 * amcheck on every index in turn, those that were damaged first: structure, and an entry for every row of the heap. What
 * does not end in its share of a look is unknown, and does not keep the others from their turn.
 */
export async function checkIndexes(
  looking: Looking,
  progress: LookProgress | undefined,
  damaged: readonly string[],
  untilMs: number,
): Promise<string | undefined> {
  const { session } = looking;
  const found = (await ask(looking, 'session', 'indexes', () => indexesOf(session))) ?? [];
  const [amcheck] = (await ask(looking, 'session', 'amcheck', () => amcheckOf(session))) ?? [];
  const call = `select ${amcheck ? `${amcheck.schema}.` : ''}bt_index_check($1::regclass, heapallindexed => true)`;
  const names = found.map((row) => row.name ?? '');
  const after = progress?.index ?? '';
  const turn = [...names.filter((name) => name > after), ...names.filter((name) => name <= after)];
  const again = damaged.filter((name) => names.includes(name));
  let last = progress?.index;
  for (const name of new Set([...again, ...turn])) {
    const budgetMs = looking.leftMs() - untilMs;
    if (budgetMs <= 0) break;
    const answer = await ask(looking, 'index', name, () => session.query(call, [name]), budgetMs);
    if (answer !== undefined) pass(looking, 'index', name);
    if (!again.includes(name)) last = name;
  }
  return last;
}
