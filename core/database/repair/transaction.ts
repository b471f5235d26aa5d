/** The one transaction of a repair, on staged rows: all of it or nothing. */
import type { Settings } from '../../settings.ts';
import type { Baseline, Repair, RepairedTable } from '../contracts.ts';
import { RepairRefused } from '../errors.ts';
import type { CopySession } from '../ports.ts';
import { moveSequences, proofViolations, sentinelViolations } from './checks.ts';
import { differenceOf, readDefinition, type TableDefinition } from './definition.ts';
import {
  type ForeignKey,
  findOrphans,
  parentsFirst,
  readForeignKeys,
  readOtherDependants,
  readViews,
} from './dependants.ts';
import { fill, merge, type Staged } from './merge.ts';
import { makeRest, makeShape, type Recipe, readRecipe } from './recreate.ts';

/** Both sessions settled; `production` in the transaction that holds the locks. */
export interface Repairing {
  readonly copy: CopySession;
  readonly production: CopySession;
  readonly staged: readonly Staged[];
  readonly settings: Settings;
  /** The sentinel's, of the restore point. */
  readonly baseline: Baseline | undefined;
}

/** Throws RepairRefused, or PostgreSQL's own error: the caller rolls back. */
export async function repair(repairing: Repairing): Promise<Repair> {
  const { copy, production, staged } = repairing;
  const names = staged.map(({ definition }) => definition.name);
  const gone = await goneAmong(repairing);
  const views = await viewsToMake(repairing, gone);
  const recipes: Recipe[] = [];
  for (const name of gone) recipes.push(await readRecipe(copy, name));
  for (const recipe of recipes) await makeShape(production, recipe);
  const keys = await foreignKeysOf(repairing, names, gone);
  await refuseOrphans(repairing, keys.all, (key) => sidesInStage(key, staged));
  const tables: RepairedTable[] = [];
  for (const { of, recreated } of inOrder(staged, keys.all, gone)) {
    const merged = recreated
      ? { putBack: await fill(production, of), changed: 0, kept: 0 }
      : await merge(production, of);
    tables.push({ table: of.definition.name, recreated, ...merged });
  }
  for (const recipe of recipes) await makeRest(production, recipe);
  await refuseOrphans(repairing, keys.all, ({ child, parent }) => ({ child, parents: [parent] }));
  for (const { child, name, definition } of keys.missing)
    await production.query(`alter table ${child} add constraint ${name} ${definition}`);
  for (const view of views) {
    const recipe = await readRecipe(copy, view);
    await makeShape(production, recipe);
    await makeRest(production, recipe);
  }
  const sequences = await moveSequences(repairing, names);
  await refuseViolations(repairing, names, [...gone, ...views]);
  const [taken] = await production.query('select extract(epoch from clock_timestamp() - now()) as seconds');
  return {
    tables,
    lockedSeconds: Number(taken?.seconds),
    dependants: [
      ...keys.all.map((key) => ({
        dependant: `${key.child} to ${key.parent} by ${key.name}`,
        finding: `${keys.missing.includes(key) ? 'made anew; ' : ''}every row finds its parent`,
      })),
      ...views.map((view) => ({ dependant: view, finding: 'made anew: it went with the table' })),
      ...sequences.map(({ sequence, to }) => ({ dependant: sequence, finding: `moved on to ${to}` })),
    ],
  };
}

/** Throws RepairRefused where the table cannot be repaired by itself. */
export function refuseObstacles({ name, obstacles }: TableDefinition, where: string): void {
  if (obstacles.length > 0)
    throw RepairRefused(`${name} in ${where} cannot be repaired by itself: ${obstacles.join('; ')}.`);
}

/** Those that production does not have; the others must be able to take the copy's rows. */
async function goneAmong({ production, staged }: Repairing): Promise<string[]> {
  const gone: string[] = [];
  for (const { definition } of staged) {
    const now = await readDefinition(production, definition.name);
    if (now === undefined) {
      gone.push(definition.name);
      continue;
    }
    refuseObstacles(now, 'production');
    const difference = differenceOf(definition, now);
    if (difference !== undefined) throw RepairRefused(`${definition.name} cannot take the copy's rows: ${difference}.`);
  }
  return gone;
}

/** What CASCADE took with the tables. Throws RepairRefused where something else went that nothing here makes anew. */
async function viewsToMake({ copy, production }: Repairing, gone: readonly string[]): Promise<string[]> {
  const views: string[] = [];
  for (const view of await readViews(copy, gone)) {
    const [row] = await production.query('select to_regclass($1)::text as name', [view]);
    if (row?.name == null) views.push(view);
  }
  const others = await readOtherDependants(copy, [...gone, ...views]);
  if (others.length === 0) return views;
  throw RepairRefused(
    `${gone.join(', ')} went with what a repair does not make anew: ${others.join(', ')}. Recover the whole database.`,
  );
}

interface Keys {
  /** From and to the tables, those among them that are missing. */
  readonly all: readonly ForeignKey[];
  /** They went with a table that was dropped. */
  readonly missing: readonly ForeignKey[];
}

/** The shapes of the tables that were gone are there. */
async function foreignKeysOf(
  { copy, production }: Repairing,
  names: readonly string[],
  gone: readonly string[],
): Promise<Keys> {
  const there = await readForeignKeys(production, names);
  const missing: ForeignKey[] = [];
  for (const key of gone.length === 0 ? [] : await readForeignKeys(copy, gone)) {
    if (there.some(({ child, name }) => child === key.child && name === key.name)) continue;
    const absent = await absentOf(production, key);
    if (absent === key.parent)
      throw RepairRefused(`${key.child} refers to ${key.parent}, which is gone, too: name it as well.`);
    // A child that is gone and was not named stays gone.
    if (absent === undefined) missing.push(key);
  }
  return { all: [...there, ...missing], missing };
}

async function absentOf(production: CopySession, { child, parent }: ForeignKey): Promise<string | undefined> {
  for (const table of [parent, child]) {
    const [row] = await production.query('select to_regclass($1)::text as name', [table]);
    if (row?.name == null) return table;
  }
  return undefined;
}

function inOrder(staged: readonly Staged[], keys: readonly ForeignKey[], gone: readonly string[]) {
  const names = staged.map(({ definition }) => definition.name);
  return parentsFirst(names, keys).flatMap((name) => {
    const of = staged.find(({ definition }) => definition.name === name);
    return of === undefined ? [] : [{ of, recreated: gone.includes(name) }];
  });
}

type Sides = Parameters<typeof findOrphans>[2];

/** Before anything is merged: staged rows find a parent in production, or among those that are put back with them. */
function sidesInStage({ child, parent }: ForeignKey, staged: readonly Staged[]): Sides | undefined {
  const relationsOf = (table: string) =>
    staged.filter(({ definition }) => definition.name === table).map(({ relation }) => relation);
  const [from] = relationsOf(child);
  return from === undefined ? undefined : { child: from, parents: [parent, ...relationsOf(parent)] };
}

async function refuseOrphans(
  { production }: Repairing,
  keys: readonly ForeignKey[],
  sidesOf: (key: ForeignKey) => Sides | undefined,
): Promise<void> {
  const violations: string[] = [];
  for (const key of keys) {
    const sides = sidesOf(key);
    const orphans = sides && (await findOrphans(production, key, sides));
    if (orphans)
      violations.push(
        `${orphans.count} rows of ${key.child} find nothing in ${key.parent} by ${key.name}, such as ${orphans.examples}`,
      );
  }
  if (violations.length > 0) throw RepairRefused(`${violations.join('; ')}.`);
}

async function refuseViolations(
  { copy, production, staged, settings, baseline }: Repairing,
  names: readonly string[],
  made: readonly string[],
): Promise<void> {
  const violations = await proofViolations({ copy, production }, staged, made);
  // The installation's own statements see the names that they are used to.
  await production.query('set local search_path to default');
  violations.push(...(await sentinelViolations(production, names, settings, baseline)));
  if (violations.length > 0) throw RepairRefused(`The repaired tables do not pass: ${violations.join('; ')}.`);
}
