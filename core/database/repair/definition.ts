/** What a table is, as the catalogue says it, and the statements that make it anew: PostgreSQL writes them itself. */
import type { Session } from '../ports.ts';

export interface Column {
  /** Quoted where it must be. */
  readonly name: string;
  readonly type: string;
  /** What must be the same on both sides before rows go from one to the other. */
  readonly description: string;
  /** PostgreSQL computes it: it takes no value. */
  readonly generated: boolean;
  /** GENERATED ALWAYS AS IDENTITY: an INSERT can override it, an UPDATE cannot. */
  readonly always: boolean;
}

export interface TableDefinition {
  /** As PostgreSQL prints it with an empty search_path: `stocker.product`. */
  readonly name: string;
  readonly columns: readonly Column[];
  /** Columns of the primary key; empty where there is none. */
  readonly key: readonly string[];
  /** Why this table cannot be repaired; empty where it can. */
  readonly obstacles: readonly string[];
}

/** pg_dump's own settings: text that means the same to every session, and names that need no search_path. */
export const settle = (session: Session) =>
  session.query(
    "set search_path to ''; set datestyle to iso; set intervalstyle to postgres; set extra_float_digits to 3; set xmloption to content",
  );

/** Undefined: there is no relation of that name. The session must be settled. */
export async function readDefinition(session: Session, table: string): Promise<TableDefinition | undefined> {
  const [found] = await session.query('select to_regclass($1)::text as name', [table]);
  if (found?.name == null) return undefined;
  const [columns, key, obstacles] = [
    await session.query(columnsSql, [table]),
    await session.query(keySql, [table]),
    await session.query(obstaclesSql, [table]),
  ];
  return {
    name: found.name,
    columns: columns.map(({ name, type, description, generated, always }) => ({
      name: name ?? '',
      type: type ?? '',
      description: description ?? '',
      generated: generated === 't',
      always: always === 't',
    })),
    key: key.map(({ name }) => name ?? ''),
    obstacles: obstacles.map(({ obstacle }) => obstacle ?? ''),
  };
}

/** How the rows of two tables differ in kind; undefined: they do not. */
export function differenceOf(copy: TableDefinition, production: TableDefinition): string | undefined {
  const describe = ({ columns }: TableDefinition) => columns.map(({ name, description }) => `${name} ${description}`);
  const [was, is] = [describe(copy), describe(production)];
  const gone = was.filter((each) => !is.includes(each));
  const come = is.filter((each) => !was.includes(each));
  if (gone.length + come.length === 0)
    return copy.key.join() === production.key.join() ? undefined : 'its primary key is another one';
  return `its columns differ: the copy has ${gone.join(', ') || 'nothing more'}; production has ${come.join(', ') || 'nothing more'}`;
}

const columnsSql = `
  select quote_ident(attname) as name, format_type(atttypid, atttypmod) as type,
    concat_ws(' ', format_type(atttypid, atttypmod), case when attnotnull then 'not null' end,
      'identity ' || nullif(attidentity::text, ''), case when attgenerated <> '' then 'as ' || pg_get_expr(adbin, adrelid) end)
      as description,
    attgenerated <> '' as generated, attidentity = 'a' as always
  from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
  where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum`;

const keySql = `
  select quote_ident(attname) as name from pg_index
  cross join unnest(indkey::smallint[]) with ordinality as part(number, place)
  join pg_attribute on attrelid = indrelid and attnum = number
  where indrelid = $1::regclass and indisprimary order by place`;

/** What a repair could not put back as it was, or would do harm to. */
const obstaclesSql = `
  with it as (select * from pg_class where oid = $1::regclass)
  select case relkind when 'p' then 'it is partitioned' when 'f' then 'it is a foreign table'
      when 'v' then 'it is a view' when 'm' then 'it is a materialized view' else 'it is no table' end as obstacle
    from it where relkind <> 'r'
  union all select 'it is a partition' from it where relispartition
  union all select 'it inherits, or is inherited from' from it
    where not relispartition and exists (select from pg_inherits where it.oid in (inhrelid, inhparent))
  union all select 'it is temporary or unlogged: a restore does not bring its rows back' from it where relpersistence <> 'p'
  union all select 'it has no primary key to tell its rows apart by' from it
    where relkind = 'r' and not exists (select from pg_index where indrelid = it.oid and indisprimary)
  union all select 'it has row-level security' from it
    where relrowsecurity or exists (select from pg_policy where polrelid = it.oid)
  union all select 'it has the rule ' || rulename from pg_rewrite, it where ev_class = it.oid and relkind = 'r'
  union all select 'it is a table of the type ' || reloftype::regtype from it where reloftype <> 0
  union all select 'it belongs to an extension' from it where exists (select from pg_depend
    where classid = 'pg_class'::regclass and objid = it.oid and refclassid = 'pg_extension'::regclass and deptype = 'e')
  union all select 'it is published by ' || pubname from pg_publication p join pg_publication_rel r on prpubid = p.oid, it
    where prrelid = it.oid
  union all select 'it lies in the tablespace ' || spcname from it join pg_tablespace t on t.oid = reltablespace
  union all select 'its access method is ' || amname from it join pg_am a on a.oid = relam where amname <> 'heap'
  union all select 'it bears a security label' from it where exists (select from pg_seclabel
    where classoid = 'pg_class'::regclass and objoid = it.oid)
  union all select format('%s follows changes of its columns by %I', conrelid::regclass, conname) from pg_constraint, it
    where contype = 'f' and confrelid = it.oid and conrelid <> it.oid and confupdtype in ('c', 'n', 'd') and not exists
      (select from pg_index where indrelid = it.oid and indisprimary and indkey::smallint[] <@ confkey and indkey::smallint[] @> confkey)
  union all select 'its sequence ' || seqrelid::regclass || ' counts down' from it join pg_depend d
    on d.refclassid = 'pg_class'::regclass and refobjid = it.oid and d.classid = 'pg_class'::regclass and deptype in ('a', 'i')
    join pg_sequence on seqrelid = objid where seqincrement < 0`;
