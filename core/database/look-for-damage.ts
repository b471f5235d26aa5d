/**
 * The sentinel: every five minutes it looks at production, bounded in time, and says what it found. What it records
 * while nothing is wrong bounds the damage later, and is what validation compares a restored copy with.
 */
import { recordVersion } from '../incident/contracts.ts';
import type { Clock, ControlStore } from '../incident/ports.ts';
import type { Settings } from '../settings.ts';
import type { Baseline } from './contracts.ts';
import { DatabaseNotFound } from './errors.ts';
import { restHere } from './heartbeat.ts';
import type { Baselines, Metrics, Secrets, Session, Sessions } from './ports.ts';
import { countRows, hashRows, resolveRelation, schemaHash, schemaVersion } from './relations.ts';
import { asMoment, isDamage, messageOf, quoteIdentifier, sqlState, stepTimeouts } from './sql.ts';

export interface SentinelContext {
  readonly settings: Settings;
  /** The Region that this function runs in. */
  readonly region: string;
  readonly clock: Clock;
  readonly control: Pick<ControlStore, 'readActiveDatabase'>;
  readonly baselines: Baselines;
  readonly secrets: Secrets;
  readonly sessions: Sessions;
  readonly metrics: Metrics;
  /** The whole look ends within this; what was not reached is unknown, and missing in the baseline. */
  readonly lookSeconds: number;
}

export interface Look {
  /** `not-here`: the active database is in the other Region. */
  readonly verdict: 'sound' | 'damaged' | 'refused' | 'not-here';
  readonly damage: readonly string[];
  /** What gave no answer in time. */
  readonly unknown: readonly string[];
}

/**
 * `accept` (a person's reason) takes what is seen as the new baseline although it looks like damage: after a deliberate
 * mass deletion. Page damage (class XX) is never accepted.
 */
export async function lookForDamage(
  { accept }: { accept?: string | undefined },
  context: SentinelContext,
): Promise<Look> {
  const { settings, region, clock, control, secrets, sessions, metrics, lookSeconds } = context;
  const active = await control.readActiveDatabase();
  if (active === undefined) throw DatabaseNotFound('No active database is registered: invoke register-database first.');
  if (active.region !== region) {
    await restHere(metrics);
    return { verdict: 'not-here', damage: [], unknown: [] };
  }
  const endsAt = clock.now().getTime() + lookSeconds * 1000;
  const credentials = await secrets.credentials(settings.database.sentinelRole.secretName);
  const address = { address: active.address, port: active.port, database: settings.database.name };
  const options = { ...stepTimeouts, statementTimeoutMs: lookSeconds * 1000 };
  const session = await sessions.open(address, credentials, options).catch(async (cause: unknown) => {
    await put(metrics, { refused: true, damaged: isDamage(cause) });
    return { verdict: 'refused', damage: [messageOf(cause)], unknown: [] } as const;
  });
  if ('verdict' in session) return session;
  try {
    const last = await context.baselines.latest();
    const seen = await look(session, last, endsAt, context);
    const findings = { ...seen, suspicions: last === undefined ? [] : suspect(seen, last, settings) };
    const damage = [...findings.corrupted, ...(accept === undefined ? findings.suspicions : [])];
    // A damaged look would become the measure of the next one: only what is sound is remembered.
    if (damage.length === 0 && seen.baseline !== undefined) await context.baselines.record(seen.baseline);
    await put(metrics, { refused: false, damaged: damage.length > 0 });
    return { verdict: damage.length > 0 ? 'damaged' : 'sound', damage, unknown: seen.unknown };
  } finally {
    await session.close();
  }
}

const put = (metrics: Metrics, found: { refused: boolean; damaged: boolean }) =>
  metrics.put([
    { name: 'SentinelLooked', value: 1, unit: 'Count' },
    { name: 'ConnectionRefused', value: found.refused ? 1 : 0, unit: 'Count' },
    { name: 'DamageFound', value: found.damaged ? 1 : 0, unit: 'Count' },
  ]);

interface Seen {
  readonly baseline: Baseline | undefined;
  /** PostgreSQL met damage while it looked. */
  readonly corrupted: readonly string[];
  readonly missing: readonly string[];
  readonly unknown: readonly string[];
}

async function look(
  session: Session,
  last: Baseline | undefined,
  endsAt: number,
  { settings, clock }: SentinelContext,
): Promise<Seen> {
  const corrupted: string[] = [];
  const missing: string[] = [];
  const unknown: string[] = [];
  /** Runs one question within the time that is left and sorts its failure. */
  const ask = async <T>(subject: string, question: () => Promise<T>): Promise<T | undefined> => {
    const leftMs = endsAt - clock.now().getTime();
    try {
      if (leftMs <= 0) throw new Error('out of time');
      await session.query(`set statement_timeout = ${Math.ceil(leftMs)}`);
      return await question();
    } catch (error) {
      const line = `${subject}: ${sqlState(error) ?? ''} ${messageOf(error)}`;
      if (isDamage(error)) corrupted.push(line);
      else if (sqlState(error) === '42P01') missing.push(line);
      else unknown.push(line);
      return undefined;
    }
  };
  const { rowFloors, appendOnly } = settings.validation;
  const version = await ask('schema version', () => schemaVersion(session, settings.database.schemaVersionSql));
  const schema = await ask('schema', () => schemaHash(session));
  const bound = await ask('highest keys', () => highestKeys(session, appendOnly));
  const rows: Record<string, string> = {};
  for (const table of Object.keys(rowFloors)) {
    const count = await ask(table, () => countRows(session, table));
    if (count !== undefined) rows[table] = count;
  }
  const ended = bound && (await ask('running transactions', () => haveEnded(session, bound.begun)));
  const hashes: Baseline['appendOnly'] = {};
  for (const [table, column] of Object.entries(appendOnly)) {
    const known = last?.appendOnly[table];
    const key = ended ? bound?.keys[table] : undefined;
    const next = key === undefined ? undefined : await ask(table, () => extend(session, { table, column, key }, known));
    const kept = next ?? known;
    if (kept !== undefined) hashes[table] = kept;
  }
  const baseline: Baseline | undefined =
    version === undefined || schema === undefined
      ? undefined
      : {
          version: recordVersion,
          at: clock.now().toISOString(),
          schemaVersion: version,
          schemaHash: schema,
          rows,
          appendOnly: hashes,
        };
  return { baseline, corrupted, missing, unknown };
}

interface Bound {
  readonly begun: string;
  /** Append-only table → its highest key. */
  readonly keys: Readonly<Record<string, string>>;
}

async function highestKeys(session: Session, appendOnly: Readonly<Record<string, string>>): Promise<Bound> {
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
async function haveEnded(session: Session, begun: string): Promise<boolean> {
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

/** Hashes only what is new since the last look: the sum over rows is additive. */
async function extend(
  session: Session,
  { table, column, key }: { table: string; column: string; key: string },
  known: Content | undefined,
): Promise<Content> {
  const grown = await hashRows(session, table, column, { after: known?.key, upTo: key });
  const add = (a: string | undefined, b: string) => String(BigInt(a ?? '0') + BigInt(b));
  return { key, rows: add(known?.rows, grown.rows), hash: add(known?.hash, grown.hash) };
}

/** What differs from the last sound look in a way that no application does. Pure. */
export function suspect(seen: Pick<Seen, 'baseline' | 'missing'>, last: Baseline, settings: Settings): string[] {
  const { baseline } = seen;
  const lost = Object.entries(settings.validation.rowFloors).flatMap(([table, fraction]) => {
    const [was, is] = [last.rows[table], baseline?.rows[table]];
    if (was === undefined || is === undefined || Number(is) >= Number(was) * fraction) return [];
    return [`${table} holds ${is} rows; it held ${was} at ${last.at}`];
  });
  // A deployment changes the schema together with its version.
  const altered =
    baseline !== undefined && baseline.schemaHash !== last.schemaHash && baseline.schemaVersion === last.schemaVersion;
  return [
    ...seen.missing,
    ...lost,
    ...(altered ? [`the schema changed since ${last.at} without a new version (${last.schemaVersion})`] : []),
  ];
}
