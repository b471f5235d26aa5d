/** Parity: the restored instance equals its source in every setting that matters. The comparison is pure. */
import type { Settings } from '../settings.ts';
import type { DatabaseInstance } from './ports.ts';

/** Name → value, of an instance or of what PostgreSQL says about itself. Names are stable: reports show them. */
export type Facts = Readonly<Record<string, string>>;

export interface Difference {
  readonly setting: string;
  readonly source: string;
  readonly candidate: string;
  /** Why it may differ; undefined: it must not. */
  readonly expected: string | undefined;
}

interface Expectation {
  readonly setting: RegExp;
  readonly because: string;
}

const expectedInDrill: readonly Expectation[] = [
  { setting: /^instance multiAz$/, because: 'the copy lives an hour and needs no standby' },
  { setting: /^instance securityGroupIds$/, because: 'the copy is isolated: only the validator is admitted' },
  { setting: /^instance deletionProtection$/, because: 'the copy is deleted afterwards' },
];

const expectedInRecovery: readonly Expectation[] = [
  { setting: /^instance multiAz$/, because: 'its standby is made once the application is back' },
  { setting: /^instance deletionProtection$/, because: 'it is set once the application is back' },
];

/** A replica has windows of its own Region's choice until it is protected as production was. */
const expectedOfReplica: readonly Expectation[] = [
  { setting: /^instance (backup|maintenance)Window$/, because: 'it is set once the application is back' },
  { setting: /^instance (kmsKey|performanceInsightsKey|monitoringRole)$/, because: 'each Region has one of its own' },
];

const expectedOfDrillReplica: readonly Expectation[] = [
  { setting: /^instance backupRetentionDays$/, because: 'the copy of a drill keeps no backups' },
];

/** Everything else must be equal. */
const expectedAlways: readonly Expectation[] = [
  {
    setting: /^parameter (port|listen_addresses|cluster_name|unix_socket_directories|external_pid_file)$/,
    because: 'every instance has an address of its own',
  },
  {
    setting: /^parameter (data_directory|config_file|hba_file|ident_file|log_directory|ssl_(ca|cert|key|crl)_file)$/,
    because: 'every instance has files of its own',
  },
  {
    setting:
      /^parameter (archive_command|archive_library|restore_command|recovery_\w+|hot_standby|primary_(conninfo|slot_name))$/,
    because: 'every instance archives to, and was restored from, a place of its own',
  },
];

/** Facts that travel with the data, and so are those of the restore point. */
const ofTheData = /^(extension|role|membership|override|database owner|relations|grants)\b/;

export interface Comparison {
  readonly settings: Settings;
  readonly mode: 'drill' | 'recovery';
  /** The copy is older than what it is compared with. */
  readonly restoredEarlier?: boolean;
  /** The copy was filled from a dump. */
  readonly fromDump?: boolean;
  /** The copy was a read replica, in another Region than its source. */
  readonly fromReplica?: boolean;
  /** The copy is production already, and its source closed. */
  readonly cutOver?: boolean;
}

/** All differences, expected ones with their reason. */
export function compareFacts(source: Facts, candidate: Facts, comparison: Comparison): Difference[] {
  const names = [...new Set([...Object.keys(source), ...Object.keys(candidate)])].sort();
  return names.flatMap((setting) => {
    const [was, is] = [source[setting] ?? 'absent', candidate[setting] ?? 'absent'];
    if (was === is) return [];
    return [{ setting, source: was, candidate: is, expected: reasonFor(setting, is, comparison) }];
  });
}

function reasonFor(setting: string, is: string, comparison: Comparison) {
  const { settings, mode, restoredEarlier, fromDump, fromReplica, cutOver } = comparison;
  const fenced = settings.database.applicationRoles.map((role) => `role ${role.name} login`);
  if (fenced.includes(setting)) {
    if (is === 'no') return 'the copy is fenced until the cut-over';
    return cutOver ? 'the copy is production already, and its source is fenced' : undefined;
  }
  if (fromDump && ofTheData.test(setting))
    return 'a dump holds the data of its time, and neither roles nor what is set for them';
  if (restoredEarlier && ofTheData.test(setting)) return 'the restore point lies before what it is compared with';
  const ofReplica = [...expectedOfReplica, ...(mode === 'drill' ? expectedOfDrillReplica : [])];
  const expected = [
    ...(mode === 'drill' ? expectedInDrill : expectedInRecovery),
    ...(fromReplica ? ofReplica : []),
    ...expectedAlways,
  ];
  return expected.find((each) => each.setting.test(setting))?.because;
}

/** The settings of RDS, one fact each; lists in order of their own, because RDS promises none. */
export function instanceFacts(instance: Pick<DatabaseInstance, 'settings' | 'engine' | 'engineVersion'>): Facts {
  const entries = Object.entries({
    ...instance.settings,
    engine: instance.engine,
    engineVersion: instance.engineVersion,
  });
  return Object.fromEntries(
    entries.map(([name, value]) => [
      `instance ${name}`,
      Array.isArray(value) ? [...value].sort().join(', ') : String(value ?? 'absent'),
    ]),
  );
}

/** The rows of postgresFactsSql. */
export const factsIn = (rows: readonly Readonly<Record<string, string | null>>[]): Facts =>
  Object.fromEntries(rows.map((row) => [row.setting ?? '', row.value ?? '']));

/** The product's own schema is prepare-database's matter. Readable by the sentinel, so that both sides are seen with the same eyes. */
export const postgresFactsSql = `
  select 'version' as setting, current_setting('server_version') as value
  union all select 'extension ' || extname, extversion from pg_extension
  union all select 'role ' || rolname || ' login', case when rolcanlogin then 'yes' else 'no' end
    from pg_roles where rolname !~ '^pg_'
  union all select 'role ' || rolname || ' attributes', concat_ws(' ', case when rolsuper then 'superuser' end,
      case when rolcreaterole then 'createrole' end, case when rolcreatedb then 'createdb' end,
      case when rolreplication then 'replication' end, case when rolbypassrls then 'bypassrls' end,
      case when not rolinherit then 'noinherit' end, 'limit', rolconnlimit)
    from pg_roles where rolname !~ '^pg_'
  union all select 'membership of ' || m.member::regrole || ' in ' || m.roleid::regrole,
      string_agg(case when m.admin_option then 'admin' else 'member' end, ' ' order by m.grantor)
    from pg_auth_members m where m.member::regrole::text !~ '^pg_' group by m.member, m.roleid
  union all select 'database ' || key, value
    from pg_database d, jsonb_each_text(to_jsonb(d)) where d.datname = current_database()
      and key in ('encoding', 'datcollate', 'datctype', 'datlocprovider', 'datlocale', 'daticulocale', 'datcollversion')
  union all select 'database owner', datdba::regrole::text from pg_database where datname = current_database()
  union all select 'parameter ' || name, setting from pg_settings
    where source not in ('default', 'client', 'session', 'override')
  union all select concat_ws(' ', 'override', (select datname from pg_database where oid = setdatabase),
      nullif(setrole, 0)::regrole), array_to_string(setconfig, ', ') from pg_db_role_setting
  union all select 'relations owned by ' || relowner::regrole || ' in ' || relnamespace::regnamespace, count(*)::text
    from pg_class where relkind in ('r', 'p', 'v', 'm', 'S', 'f', 'i') and relnamespace::regnamespace::text !~ '^(pg_|information_schema|stocker_dr$)'
    group by relowner, relnamespace
  union all select 'grants to ' || coalesce(nullif(grantee, 0)::regrole::text, 'public') || ' in ' || relnamespace::regnamespace,
      count(*)::text
    from pg_class, aclexplode(relacl) where relnamespace::regnamespace::text !~ '^(pg_|information_schema|stocker_dr$)'
    group by grantee, relnamespace`;
