/**
 * The roles of RDS for PostgreSQL, made once in the template. On RDS the master user is no superuser but a member of
 * rds_superuser (User Guide, "Understanding the rds_superuser role"), which may see all statistics, end other
 * sessions, checkpoint, use reserved connections, and create the extensions that RDS offers, as if they were trusted.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';

/** Extensions that RDS offers, are not trusted upstream, and come with the binaries. */
const offered = [
  'amcheck',
  'bloom',
  'dblink',
  'pg_buffercache',
  'pg_freespacemap',
  'pg_prewarm',
  'pg_stat_statements',
  'pg_visibility',
  'pg_walinspect',
  'pageinspect',
  'pgrowlocks',
  'pgstattuple',
  'postgres_fdw',
  'sslinfo',
];

export const bootstrapSql = `
create role rds_superuser nologin;
create role rds_replication nologin;
create role rds_password nologin;
create role rds_iam nologin;
-- That rds_superuser hands on pg_read_all_data and pg_write_all_data (PostgreSQL 14) is seen in the field, not in the User Guide.
grant pg_monitor, pg_read_all_data, pg_write_all_data, pg_signal_backend, pg_checkpoint, pg_use_reserved_connections, pg_maintain, pg_create_subscription,
  rds_replication, rds_password to rds_superuser with admin option;
create schema rds_tools;
grant usage on schema rds_tools to public;
-- An extension's script runs as the superuser and may keep its functions from everybody (amcheck does): RDS lets
-- rds_superuser execute them. In template1 too, so that every new database has it.
create function rds_tools.grant_extension() returns event_trigger language plpgsql security definer
set search_path = pg_catalog as $$
declare signature text;
begin
  for signature in
    select d.objid::regprocedure::text from pg_event_trigger_ddl_commands() c
      join pg_depend d on d.refobjid = c.objid and d.refclassid = 'pg_extension'::regclass
        and d.classid = 'pg_proc'::regclass and d.deptype = 'e'
      join pg_proc p on p.oid = d.objid and p.prokind <> 'p'
    where c.command_tag = 'CREATE EXTENSION'
  loop
    execute format('grant execute on function %s to rds_superuser with grant option', signature);
  end loop;
end $$;
create event trigger grant_extension on ddl_command_end when tag in ('CREATE EXTENSION')
  execute function rds_tools.grant_extension();
`;

/** The master user, who owns the databases that the instance is created with. */
export function masterSql(user: string, password: string, databaseName: string | undefined): string[] {
  const name = pg.escapeIdentifier(user);
  const statements = [
    `create role ${name} login createdb createrole password ${pg.escapeLiteral(password)} valid until 'infinity'`,
    `grant rds_superuser to ${name} with admin option`,
    `alter database postgres owner to ${name}`,
  ];
  if (databaseName !== undefined && databaseName !== 'postgres') {
    statements.push(`create database ${pg.escapeIdentifier(databaseName)} owner ${name}`);
  }
  return statements;
}

/** Copies the offered extensions with `trusted = true`, for extension_control_path: what RDS does inside its server. */
export function makeTrustedExtensions(shipped: string, target: string): void {
  const directory = join(target, 'extension');
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  for (const file of readdirSync(shipped)) {
    const extension = offered.find((name) => file === `${name}.control` || file.startsWith(`${name}--`));
    if (extension === undefined) continue;
    if (!file.endsWith('.control')) copyFileSync(join(shipped, file), join(directory, file));
    else writeFileSync(join(directory, file), `${readFileSync(join(shipped, file), 'utf8')}\ntrusted = true\n`);
  }
}
