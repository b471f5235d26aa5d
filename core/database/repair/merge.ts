/**
 * The rows of the copy, staged beside the table and merged into it. The copy's row wins by primary key; a row whose key the
 * copy does not hold was written after the restore point, and is kept.
 */
import type { CopySession, Session } from '../ports.ts';
import type { Column, TableDefinition } from './definition.ts';

/** A temporary table of the production session: it is gone with the session, whatever happens. */
export interface Staged {
  readonly definition: TableDefinition;
  readonly relation: string;
  readonly rows: number;
}

export interface Merged {
  /** Rows that production did not have. */
  readonly putBack: number;
  /** Rows that it had otherwise. */
  readonly changed: number;
  /** Rows that the copy does not have. */
  readonly kept: number;
}

/** Values that can be given; PostgreSQL computes the others. */
const given = ({ columns }: TableDefinition): readonly Column[] => columns.filter(({ generated }) => !generated);
const listOf = (columns: readonly Column[], prefix = '') => columns.map(({ name }) => `${prefix}${name}`).join(', ');

export async function stage(
  copy: CopySession,
  production: CopySession,
  definition: TableDefinition,
  number: number,
): Promise<Staged> {
  const columns = given(definition);
  const relation = `pg_temp.repair_${number}`;
  await production.query(`create temp table repair_${number} (${columns.map(({ name, type }) => `${name} ${type}`)})`);
  const rows = await production.copyIn(
    `copy ${relation} (${listOf(columns)}) from stdin`,
    copy.copyOut(`copy ${definition.name} (${listOf(columns)}) to stdout`),
  );
  await production.query(`analyze ${relation}`);
  return { definition, relation, rows };
}

const countOf = async (session: Session, sql: string): Promise<number> => {
  const [row] = await session.query(sql);
  return Number(row?.count);
};

/** Into a table that was just made, and has nothing yet that could slow it down or object. */
export const fill = (session: Session, { definition, relation }: Staged): Promise<number> => {
  const columns = listOf(given(definition));
  return countOf(
    session,
    `with put as (insert into ${definition.name} (${columns}) overriding system value
       select ${columns} from ${relation} returning 1) select count(*) from put`,
  );
};

/** Into a table that is there. Throws PostgreSQL's own error where a constraint is in the way. */
export async function merge(session: Session, staged: Staged): Promise<Merged> {
  const { definition, relation } = staged;
  const { name, key } = definition;
  const columns = given(definition);
  const same = key.map((column) => `t.${column} = s.${column}`).join(' and ');
  const [theirs, ours] = [listOf(columns, 't.'), listOf(columns, 's.')];
  const settable = columns.filter((column) => !key.includes(column.name) && !column.always);
  const triggers = await pauseTriggers(session, name);
  // By image: it compares what has no equality (json, points), and 1.0 with 1.00.
  const changed =
    settable.length === 0
      ? 0
      : await countOf(
          session,
          `with changed as (update ${name} t set ${settable.map((column) => `${column.name} = s.${column.name}`).join(', ')}
             from ${relation} s where ${same} and record_image_ne(row(${theirs}), row(${ours})) returning 1)
           select count(*) from changed`,
        );
  const putBack = await countOf(
    session,
    `with put as (insert into ${name} (${listOf(columns)}) overriding system value select ${ours} from ${relation} s
       where not exists (select from ${name} t where ${same}) returning 1) select count(*) from put`,
  );
  for (const sql of triggers) await session.query(sql);
  const kept = await countOf(
    session,
    `select count(*) from ${name} t where not exists (select from ${relation} s where ${same})`,
  );
  return { putBack, changed, kept };
}

/** Rows of the copy that are not in the table exactly as the copy has them. */
export async function countDifferent(session: Session, { definition, relation }: Staged): Promise<number> {
  const columns = given(definition);
  const same = definition.key.map((column) => `t.${column} = s.${column}`).join(' and ');
  return countOf(
    session,
    `select count(*) from ${relation} s where not exists (select from ${definition.name} t
       where ${same} and record_image_eq(row(${listOf(columns, 't.')}), row(${listOf(columns, 's.')})))`,
  );
}

/**
 * The application's triggers must not take a repair for its own writes; those of foreign keys go on. Returns what brings
 * each back to what it was. The table is locked, so nobody misses them meanwhile.
 */
async function pauseTriggers(session: Session, table: string): Promise<string[]> {
  const found = await session.query(
    `select format('alter table %s disable trigger %I', tgrelid::regclass, tgname) as off,
       format('alter table %s enable %s trigger %I', tgrelid::regclass,
         case tgenabled when 'R' then 'replica' when 'A' then 'always' end, tgname) as on
     from pg_trigger where tgrelid = $1::regclass and not tgisinternal and tgenabled <> 'D'`,
    [table],
  );
  for (const { off } of found) await session.query(off ?? '');
  return found.map(({ on }) => on ?? '');
}
