/** What hangs on a table: foreign keys from it and to it, views over it, and what no repair can make anew. */
import type { Session } from '../ports.ts';

export interface ForeignKey {
  /** Quoted where it must be. */
  readonly name: string;
  readonly child: string;
  readonly parent: string;
  readonly childColumns: readonly string[];
  readonly parentColumns: readonly string[];
  /** `FOREIGN KEY (…) REFERENCES …` */
  readonly definition: string;
}

/** From and to these tables. The session must be settled. */
export async function readForeignKeys(session: Session, tables: readonly string[]): Promise<ForeignKey[]> {
  const rows = await session.query(foreignKeysSql, [tables]);
  return rows.map((row) => ({
    name: row.name ?? '',
    child: row.child ?? '',
    parent: row.parent ?? '',
    childColumns: JSON.parse(row.child_columns ?? '[]'),
    parentColumns: JSON.parse(row.parent_columns ?? '[]'),
    definition: row.definition ?? '',
  }));
}

const columnsOf = (relation: string, key: string) => `
  (select json_agg(quote_ident(attname) order by place) from unnest(${key}) with ordinality as part(number, place)
    join pg_attribute on attrelid = ${relation} and attnum = number)`;

const foreignKeysSql = `
  select quote_ident(conname) as name, conrelid::regclass as child, confrelid::regclass as parent,
    ${columnsOf('conrelid', 'conkey')} as child_columns, ${columnsOf('confrelid', 'confkey')} as parent_columns,
    pg_get_constraintdef(oid) as definition
  from pg_constraint where contype = 'f' and conparentid = 0
    and (conrelid::regclass::text = any($1) or confrelid::regclass::text = any($1)) order by 2, 1`;

/** Parents before their children; tables that refer to each other in a circle keep their order. */
export function parentsFirst(tables: readonly string[], foreignKeys: readonly ForeignKey[]): string[] {
  const ordered: string[] = [];
  const visit = (table: string, above: readonly string[]): void => {
    if (ordered.includes(table) || above.includes(table)) return;
    const parents = foreignKeys.filter(({ child, parent }) => child === table && tables.includes(parent));
    for (const { parent } of parents) visit(parent, [...above, table]);
    ordered.push(table);
  };
  for (const table of tables) visit(table, []);
  return ordered;
}

export interface Orphans {
  readonly count: string;
  /** Up to three of the keys that refer to nothing. */
  readonly examples: string;
}

/**
 * Rows of `child` that find no parent in any of `parents`, by anti-join: `validate constraint` does nothing on a valid
 * constraint (postgres-facts). MATCH SIMPLE: a row with any null among its columns refers to nothing. Undefined: none.
 */
export async function findOrphans(
  session: Session,
  { childColumns, parentColumns }: ForeignKey,
  { child, parents }: { readonly child: string; readonly parents: readonly string[] },
): Promise<Orphans | undefined> {
  const refers = childColumns.map((column) => `child.${column} is not null`);
  const missing = parents.map((parent) => {
    const pairs = childColumns.map((column, index) => `parent.${parentColumns[index]} = child.${column}`);
    return `not exists (select from ${parent} parent where ${pairs.join(' and ')})`;
  });
  const [row] = await session.query(
    `with orphan as (select concat_ws(', ', ${childColumns.map((column) => `child.${column}`).join(', ')}) as key
       from ${child} child where ${[...refers, ...missing].join(' and ')})
     select (select count(*) from orphan) as count,
       (select string_agg(key, '; ' order by key) from (select distinct key from orphan order by 1 limit 3) as few) as examples`,
  );
  if (row === undefined || row.count === '0') return undefined;
  return { count: row.count ?? '', examples: `(${childColumns.join(', ')}) = ${row.examples}` };
}

/** Views and materialized views over these tables, and over one another: in the order in which they can be made. */
export async function readViews(copy: Session, tables: readonly string[]): Promise<string[]> {
  const rows = await copy.query(
    `with recursive dependant(oid, depth) as (
       select r.ev_class, 1 from pg_depend d join pg_rewrite r on r.oid = objid
         where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass
           and refobjid::regclass::text = any($1) and ev_class <> refobjid
       union select r.ev_class, depth + 1 from dependant join pg_depend d on d.refobjid = dependant.oid
         join pg_rewrite r on r.oid = objid
         where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass and ev_class <> refobjid)
     select oid::regclass as name from dependant group by oid order by max(depth), 1`,
    [tables],
  );
  return rows.map(({ name }) => name ?? '');
}

/** What CASCADE took with these relations and nothing here makes anew, in PostgreSQL's words. */
export async function readOtherDependants(copy: Session, relations: readonly string[]): Promise<string[]> {
  const rows = await copy.query(
    `with gone as (select c.oid, reltype from pg_class c where c.oid::regclass::text = any($1)),
       piece as (select 'pg_class'::regclass as classid, oid from gone
         union all select 'pg_type'::regclass, reltype from gone
         union all select 'pg_type'::regclass, typarray from gone join pg_type t on t.oid = gone.reltype where typarray <> 0
         union all select 'pg_class'::regclass, objid from gone join pg_depend d on d.refobjid = gone.oid
           and d.refclassid = 'pg_class'::regclass and d.classid = 'pg_class'::regclass and deptype in ('a', 'i')
           join pg_sequence on seqrelid = objid)
     select distinct pg_describe_object(d.classid, d.objid, d.objsubid) as what
     from piece join pg_depend d on d.refclassid = piece.classid and d.refobjid = piece.oid and d.deptype = 'n'
       left join pg_attrdef a on d.classid = 'pg_attrdef'::regclass and a.oid = d.objid
     where d.classid not in ('pg_rewrite'::regclass, 'pg_constraint'::regclass, 'pg_trigger'::regclass)
       and coalesce(a.adrelid not in (select oid from gone), true)
       and (d.classid, d.objid) not in (select classid, oid from piece)
     union all select format('rule %I on view %s', rulename, ev_class::regclass) from pg_rewrite join gone on ev_class = gone.oid
       where rulename <> '_RETURN'
     union all select format('trigger %I on view %s', tgname, tgrelid::regclass) from pg_trigger
       join pg_class v on v.oid = tgrelid and relkind = 'v' where v.oid in (select oid from gone)
     order by 1`,
    [relations],
  );
  return rows.map(({ what }) => what ?? '');
}
