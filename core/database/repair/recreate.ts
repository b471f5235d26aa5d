/** A relation that is gone is made anew as the copy's catalogue describes it. */
import type { Session } from '../ports.ts';

/** Statements of one relation: what must be there before its rows, and what follows them. */
export interface Recipe {
  readonly name: string;
  readonly shape: readonly string[];
  readonly rest: readonly string[];
}

/** Of a table, view or materialized view in the copy; foreign keys are its dependants' matter. The session must be settled. */
export async function readRecipe(copy: Session, relation: string): Promise<Recipe> {
  const rows = await copy.query(recipeSql, [relation]);
  const of = (late: boolean) => rows.filter((row) => (row.late === 't') === late).map(({ sql }) => sql ?? '');
  return { name: relation, shape: of(false), rest: of(true) };
}

/** Makes it, and takes back what default privileges gave: the copy's own grants come with the rest. */
export async function makeShape(production: Session, { name, shape }: Recipe): Promise<void> {
  for (const sql of shape) await production.query(sql);
  const given = await production.query(revokeSql, [name]);
  for (const { sql } of given) await production.query(sql ?? '');
}

export async function makeRest(production: Session, { rest }: Recipe): Promise<void> {
  for (const sql of rest) await production.query(sql);
}

/** The relation with the sequences that its columns own. */
const family = `
  it as (select c.*, c.oid::regclass as name,
      case relkind when 'v' then 'view' when 'm' then 'materialized view' else 'table' end as kind
    from pg_class c where c.oid = $1::regclass),
  owned as (select objid::regclass as name, d.refobjsubid as attnum, deptype, seqtypid, s.relacl, s.relowner,
      format('start with %s increment by %s minvalue %s maxvalue %s cache %s%s', seqstart, seqincrement, seqmin, seqmax,
        seqcache, case when seqcycle then ' cycle' end) as options
    from it join pg_depend d on d.refobjid = it.oid and d.refclassid = 'pg_class'::regclass and d.classid = 'pg_class'::regclass
      and d.deptype in ('a', 'i') and d.refobjsubid > 0
    join pg_sequence on seqrelid = objid join pg_class s on s.oid = objid)`;

const columnSql = `
  concat_ws(' ', quote_ident(attname), format_type(atttypid, atttypmod),
    case when attcollation <> typcollation then 'collate ' || attcollation::regcollation end,
    (select 'constraint ' || quote_ident(conname) from pg_constraint
      where conrelid = attrelid and contype = 'n' and conkey = array[attnum]),
    case when attnotnull then 'not null' end,
    case when attgenerated = 's' then format('generated always as (%s) stored', pg_get_expr(adbin, adrelid))
      when attgenerated = 'v' then format('generated always as (%s) virtual', pg_get_expr(adbin, adrelid))
      when attidentity <> '' then (select format('generated %s as identity (sequence name %s %s)',
        case attidentity when 'a' then 'always' else 'by default' end, name, options) from owned
        where owned.attnum = pg_attribute.attnum and deptype = 'i')
      when adbin is not null then 'default ' || pg_get_expr(adbin, adrelid) end)`;

const grantsSql = `
  select 12 as place, concat_ws(' ', 'grant', string_agg(privilege_type || columns, ', '), 'on', kind, name, 'to',
    case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end,
    case when is_grantable then 'with grant option' end) as sql
  from (select 'table' as kind, name, relowner, '' as columns, a.* from it, aclexplode(relacl) a
    union all select 'sequence', owned.name, owned.relowner, '', a.* from owned, aclexplode(owned.relacl) a
    union all select 'table', name, relowner, format(' (%I)', attname), a.*
      from it join pg_attribute on attrelid = it.oid, aclexplode(attacl) a where not attisdropped) as acl
  where grantee <> relowner group by kind, name, grantee, is_grantable`;

const commentsSql = `
  select 11 as place, format('comment on %s is %L', thing, text) as sql from (
    select kind || ' ' || name as thing, obj_description(it.oid, 'pg_class') as text from it
    union all select format('column %s.%I', name, attname), col_description(it.oid, attnum)
      from it join pg_attribute on attrelid = it.oid where attnum > 0 and not attisdropped
    union all select format('constraint %I on %s', conname, name), obj_description(c.oid, 'pg_constraint')
      from it join pg_constraint c on conrelid = it.oid where contype <> 'f'
    union all select 'index ' || indexrelid::regclass, obj_description(indexrelid, 'pg_class')
      from it join pg_index on indrelid = it.oid
    union all select format('trigger %I on %s', tgname, name), obj_description(t.oid, 'pg_trigger')
      from it join pg_trigger t on tgrelid = it.oid where not tgisinternal) as comment where text is not null`;

/** In order of `place`; from 6 on they follow the rows. PostgreSQL 18 names NOT NULL, which stands with its column. */
const recipeSql = `
  with ${family}, statement as (
    select 1 as place, format('create sequence %s as %s %s', name, format_type(seqtypid, null), options) as sql
      from owned where deptype = 'a'
    union all select 2, case relkind
        when 'r' then format('create table %s (%s)%s', name, (select string_agg(${columnSql}, ', ' order by pg_attribute.attnum)
          from pg_attribute join pg_type on pg_type.oid = atttypid
            left join pg_attrdef on adrelid = attrelid and adnum = pg_attribute.attnum
          where attrelid = it.oid and pg_attribute.attnum > 0 and not attisdropped), settings)
        else format('create %s %s%s as %s%s', kind, name, settings, rtrim(pg_get_viewdef(it.oid), ';'),
          case when relkind = 'm' then case when relispopulated then ' with data' else ' with no data' end end) end
      from it, lateral (select ' with (' || string_agg(setting, ', ') || ')' as settings from (
        select unnest(reloptions) as setting union all
        select 'toast.' || unnest(t.reloptions) from pg_class t where t.oid = it.reltoastrelid) as option) as options
    union all select 3, format('alter sequence %s owned by %s.%I', owned.name, it.name, attname)
      from owned join pg_attribute a on a.attnum = owned.attnum, it where a.attrelid = it.oid and deptype = 'a'
    union all select 4, format('alter table %s alter column %I %s', name, attname, change)
      from it join pg_attribute a on attrelid = it.oid join pg_type t on t.oid = atttypid, lateral (
        select 'set storage ' || case attstorage when 'p' then 'plain' when 'e' then 'external' when 'm' then 'main'
          else 'extended' end as change where attstorage <> typstorage
        union all select 'set compression ' || case attcompression when 'l' then 'lz4' else 'pglz' end where attcompression <> ''
        union all select 'set statistics ' || attstattarget where attstattarget >= 0
        union all select format('set (%s)', array_to_string(attoptions, ', ')) where attoptions is not null) as setting
      where relkind = 'r' and attnum > 0 and not attisdropped
    union all select case contype when 'p' then 6 else 7 end,
        format('alter table %s add constraint %I %s', name, conname, pg_get_constraintdef(c.oid))
      from it join pg_constraint c on conrelid = it.oid where contype in ('p', 'u', 'x', 'c')
    union all select 8, pg_get_indexdef(indexrelid) from it join pg_index on indrelid = it.oid
      where not exists (select from pg_constraint where conindid = indexrelid and conrelid = it.oid)
    union all select 9, case relreplident when 'f' then format('alter table %s replica identity full', name)
        when 'n' then format('alter table %s replica identity nothing', name) end from it where relkind = 'r' and relreplident in ('f', 'n')
    union all select 9, format('alter table %s replica identity using index %I', it.name, i.relname)
      from it join pg_index on indrelid = it.oid and indisreplident join pg_class i on i.oid = indexrelid where it.relreplident = 'i'
    union all select 9, format('alter table %s cluster on %I', it.name, i.relname)
      from it join pg_index on indrelid = it.oid and indisclustered join pg_class i on i.oid = indexrelid
    union all select 9, pg_get_statisticsobjdef(s.oid) from it join pg_statistic_ext s on stxrelid = it.oid
    union all select 9, pg_get_triggerdef(t.oid) from it join pg_trigger t on tgrelid = it.oid where not tgisinternal
    union all select 10, format('alter table %s %s trigger %I', name, case tgenabled when 'D' then 'disable'
        when 'R' then 'enable replica' else 'enable always' end, tgname)
      from it join pg_trigger on tgrelid = it.oid where not tgisinternal and tgenabled <> 'O'
    union all ${commentsSql}
    union all ${grantsSql}
    union all select 13, format('alter table %s owner to %I', name, pg_get_userbyid(relowner)) from it
      where relowner <> (select oid from pg_roles where rolname = current_user))
  select place >= 6 as late, sql from statement order by place, sql`;

const revokeSql = `
  with ${family}
  select format('revoke all on %s %s from %s', kind, name,
    case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end) as sql
  from (select 'table' as kind, name, relowner, grantee from it, aclexplode(relacl)
    union select 'sequence', owned.name, owned.relowner, grantee from owned, aclexplode(owned.relacl)) as acl
  where grantee <> relowner`;
