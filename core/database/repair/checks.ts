/** What must hold before a repair is committed; each violation is one line. */
import type { Settings } from '../../settings.ts';
import type { Baseline } from '../contracts.ts';
import type { Session } from '../ports.ts';
import { countRows, hashRows, relationHashes } from '../relations.ts';
import { countDifferent, type Staged } from './merge.ts';

/** The sentinel's own checks of these tables: rows, the content of append-only ones, and whatever compares tables. */
export async function sentinelViolations(
  session: Session,
  tables: readonly string[],
  { validation }: Settings,
  baseline: Baseline | undefined,
): Promise<string[]> {
  const violations: string[] = [];
  for (const [name, floor] of Object.entries(validation.rowFloors)) {
    const was = baseline?.rows[name];
    if (was === undefined || !(await isAmong(session, name, tables))) continue;
    const rows = await countRows(session, name);
    if (Number(rows) < Number(was) * floor)
      violations.push(`${name} has ${rows} rows; it had ${was} at ${baseline?.at}`);
  }
  for (const [name, key] of Object.entries(validation.appendOnly)) {
    const known = baseline?.appendOnly[name];
    if (known === undefined || !(await isAmong(session, name, tables))) continue;
    const seen = await hashRows(session, name, key, { after: undefined, upTo: known.key });
    if (seen.rows !== known.rows || seen.hash !== known.hash)
      violations.push(`${name} up to key ${known.key} is not what it was at ${baseline?.at}`);
  }
  for (const { name, sql, expect } of validation.queries) {
    const [row] = await session.query(sql);
    const value = Object.values(row ?? {})[0] ?? 'null';
    const wanted = typeof expect === 'boolean' ? (expect ? 't' : 'f') : String(expect);
    if (value !== wanted) violations.push(`"${name}" yields ${value}, expected ${wanted}`);
  }
  return violations;
}

async function isAmong(session: Session, name: string, tables: readonly string[]): Promise<boolean> {
  const [row] = await session.query('select to_regclass($1) = any($2::regclass[]) as among', [name, tables]);
  return row?.among === 't';
}

/** Every row of the copy is there as the copy has it, and what was made anew is what it was. */
export async function proofViolations(
  { copy, production }: { readonly copy: Session; readonly production: Session },
  staged: readonly Staged[],
  made: readonly string[],
): Promise<string[]> {
  const violations: string[] = [];
  for (const each of staged) {
    const different = await countDifferent(production, each);
    if (different > 0) violations.push(`${different} rows of ${each.definition.name} are not as the copy has them`);
  }
  if (made.length === 0) return violations;
  const [was, is] = [await relationHashes(copy), await relationHashes(production)];
  return [...violations, ...made.filter((name) => was[name] !== is[name]).map((name) => `${name} is not what it was`)];
}

const sequencesSql = `
  select quote_ident(attname) as column, sequence, pg_sequence_last_value(sequence::regclass) as last
  from pg_attribute, pg_get_serial_sequence($1, attname) as sequence
  where attrelid = $1::regclass and attnum > 0 and not attisdropped and sequence is not null order by attnum`;

const furthest = (...values: readonly (string | null | undefined)[]): bigint | undefined =>
  values
    .flatMap((value) => (value == null ? [] : BigInt(value)))
    .reduce<bigint | undefined>((most, value) => (most === undefined || value > most ? value : most), undefined);

/**
 * No sequence hands out a key that is there, or that had been handed out by the restore point. A sequence does not roll
 * back with its transaction; one that went ahead does no harm.
 */
export async function moveSequences(
  { copy, production }: { readonly copy: Session; readonly production: Session },
  tables: readonly string[],
): Promise<{ sequence: string; to: string }[]> {
  const moved: { sequence: string; to: string }[] = [];
  for (const table of tables) {
    const then = await copy.query(sequencesSql, [table]);
    for (const { column, sequence, last } of await production.query(sequencesSql, [table])) {
      const [used] = await production.query(`select max(${column}) as key from ${table}`);
      const goal = furthest(used?.key, then.find((each) => each.column === column)?.last, last);
      if (goal === undefined || (last != null && goal <= BigInt(last))) continue;
      await production.query('select setval($1::regclass, $2)', [sequence, String(goal)]);
      moved.push({ sequence: sequence ?? '', to: String(goal) });
    }
  }
  return moved;
}
