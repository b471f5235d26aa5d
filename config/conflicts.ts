/** Where a configuration contradicts its own objectives. Pure: a conflict names the field, the reason and the fix. */
import type { Settings } from '../core/settings.ts';

export interface Conflict {
  readonly path: readonly string[];
  readonly reason: string;
  readonly fix: string;
}

/** Every name but the zone's is one in it. */
interface TrafficNames {
  readonly hostedZoneName: string;
  readonly recordName: string;
  readonly drillRecordName: string;
  readonly primaryRecordName: string;
  readonly drRecordName: string;
}

/** The part of a configuration that the checks look at. */
interface Checked {
  readonly environment: string;
  readonly account: string;
  readonly primary: { readonly region: string; readonly terraformStateBucket: string };
  readonly dr: { readonly region: string; readonly terraformStateBucket: string };
  readonly cluster: Pick<Settings['cluster'], 'drillAccount'>;
  readonly objectives: {
    readonly rtoSeconds: number;
    readonly rpoSeconds: number;
    readonly automatedBackupRetentionDays: number;
  };
  readonly database: {
    readonly identifier: string;
    readonly drillPrefix: string;
    readonly replicaIdentifier: string;
    readonly masterUsername: string;
    readonly applicationRoles: readonly { readonly name: string; readonly secretName: string }[];
    readonly masterSecretName: string;
    readonly regionProtection: 'replica' | 'automated-backups';
    readonly expectedRestoreSeconds: number;
    readonly backupWindow: string;
    readonly maintenanceWindow: string;
  };
  readonly approval: { readonly timeoutSeconds: number };
  readonly validation: { readonly gateSeconds: number; readonly pieceSeconds: number };
  readonly automatic: { readonly region: 'off' | 'ask' | 'auto' };
  readonly traffic: TrafficNames & {
    readonly ttlSeconds: number;
    readonly strategy: 'health-check' | 'change-record-sets';
  };
  readonly region: { readonly fencing: Settings['region']['fencing'] };
  readonly schedules: {
    readonly heartbeatMinutes: number;
    readonly databaseDrill: string;
    readonly regionDrill: string;
    readonly backup: string;
    readonly backupProof: string;
    readonly dumpProof: string;
  };
  readonly backup: { readonly lateSeconds: number; readonly missedSeconds: number };
}

/** RDS uploads transaction logs every 5 minutes: no restore in the Region can promise less. */
const logUploadSeconds = 300;
/** Replicated automated backups: documented lag up to 30 minutes, recovery of up to hours (aws-facts). */
const replicatedBackupSeconds = { rpo: 1800, rto: 7200 };
const maximumTtlSeconds = 60;
/** Of strict fencing: two renewals of the guard, which looks every minute. */
const shortestTenureSeconds = 120;
/** A minute of the guard's, 3 attempts of 8 s at the DR Region, a session, the end of others, a refused login. */
const shortestFenceSeconds = 120;

/** Every conflict, in the order of the fields. */
export function findConflicts(configuration: Checked): Conflict[] {
  return [
    ...objectiveConflicts(configuration),
    ...namingConflicts(configuration),
    ...windowConflicts(configuration),
    ...trafficConflicts(configuration),
    ...fencingConflicts(configuration),
    ...backupConflicts(configuration),
    ...drillAccountConflicts(configuration),
  ];
}

/** An account that is none of its own protects nothing. */
function drillAccountConflicts({ account, primary, dr, cluster: { drillAccount } }: Checked): Conflict[] {
  if (drillAccount === undefined) return [];
  const { id, roleArn, stateBuckets } = drillAccount;
  const path = ['cluster', 'drillAccount'];
  const shared = (['primary', 'dr'] as const).filter((role) =>
    [primary, dr].some(({ terraformStateBucket }) => terraformStateBucket === stateBuckets[role]),
  );
  return [
    ...(id === account
      ? [
          {
            path: [...path, 'id'],
            reason: `${id} is production’s own account, where drills happen anyway.`,
            fix: 'Name another account, or leave cluster.drillAccount out.',
          },
        ]
      : []),
    ...(roleArn.split(':')[4] === id
      ? []
      : [
          {
            path: [...path, 'roleArn'],
            reason: `${roleArn} is a role of account ${roleArn.split(':')[4]}, and drills are to happen in ${id}.`,
            fix: `Name a role of account ${id}: arn:aws:iam::${id}:role/….`,
          },
        ]),
    ...shared.map((role) => ({
      path: [...path, 'stateBuckets', role],
      reason: `${stateBuckets[role]} holds production’s Terraform state, which no role of another account may reach.`,
      fix: `Name a bucket of account ${id}.`,
    })),
  ];
}

function objectiveConflicts(configuration: Checked): Conflict[] {
  const { objectives, database, validation, approval, traffic, schedules } = configuration;
  const conflicts: Conflict[] = [];
  const add = (path: string, reason: string, fix: string) => conflicts.push({ path: path.split('.'), reason, fix });
  if (objectives.rpoSeconds < logUploadSeconds)
    add(
      'objectives.rpoSeconds',
      `${objectives.rpoSeconds} s cannot be met: RDS uploads logs every ${logUploadSeconds} s.`,
      `set at least ${logUploadSeconds}.`,
    );
  if (schedules.heartbeatMinutes * 60 > objectives.rpoSeconds / 2)
    add(
      'schedules.heartbeatMinutes',
      `a heartbeat every ${schedules.heartbeatMinutes} min cannot measure an RPO of ${objectives.rpoSeconds} s.`,
      'set it to at most half of the RPO.',
    );
  if (
    database.regionProtection === 'automated-backups' &&
    (objectives.rpoSeconds < replicatedBackupSeconds.rpo || objectives.rtoSeconds < replicatedBackupSeconds.rto)
  )
    add(
      'database.regionProtection',
      `replicated automated backups lag up to 30 min and restore in up to hours; the objectives are RPO ${objectives.rpoSeconds} s, RTO ${objectives.rtoSeconds} s.`,
      "use 'replica'.",
    );
  const needed = database.expectedRestoreSeconds + validation.gateSeconds;
  if (needed > objectives.rtoSeconds)
    add(
      'objectives.rtoSeconds',
      `restore (${database.expectedRestoreSeconds} s) and gate (${validation.gateSeconds} s) need ${needed} s, more than the RTO of ${objectives.rtoSeconds} s.`,
      'raise the RTO, shorten validation.gateSeconds, or restore faster (instance class, storage).',
    );
  // The RTO clock runs from detection: an answer that is allowed to come too late is no help.
  else if (approval.timeoutSeconds + needed > objectives.rtoSeconds)
    add(
      'approval.timeoutSeconds',
      `a recovery may wait ${approval.timeoutSeconds} s for a person, and restore (${database.expectedRestoreSeconds} s) and gate (${validation.gateSeconds} s) come after: more than the RTO of ${objectives.rtoSeconds} s.`,
      objectives.rtoSeconds > needed
        ? `set at most ${objectives.rtoSeconds - needed}, or raise the RTO.`
        : 'raise the RTO, or restore faster (instance class, storage).',
    );
  if (validation.pieceSeconds > validation.gateSeconds)
    add(
      'validation.pieceSeconds',
      `one piece (${validation.pieceSeconds} s) may outlast the whole gate (${validation.gateSeconds} s).`,
      'set it to at most validation.gateSeconds.',
    );
  if (traffic.ttlSeconds > maximumTtlSeconds)
    add(
      'traffic.ttlSeconds',
      `resolvers keep the old answer for ${traffic.ttlSeconds} s after a failover.`,
      `set at most ${maximumTtlSeconds}.`,
    );
  return conflicts;
}

function namingConflicts({ primary, dr, database }: Checked): Conflict[] {
  const conflicts: Conflict[] = [];
  const add = (path: string, reason: string, fix: string) => conflicts.push({ path: path.split('.'), reason, fix });
  if (primary.region === dr.region)
    add('dr.region', `the DR Region is the primary Region, ${primary.region}.`, 'name another Region.');
  if (database.identifier.startsWith(database.drillPrefix))
    add(
      'database.drillPrefix',
      `the production instance ${database.identifier} begins with the drill prefix ${database.drillPrefix}, so the guard of the tear-down could not tell them apart.`,
      'choose a prefix that production never has, such as dr-drill-.',
    );
  if (
    database.replicaIdentifier === database.identifier ||
    !database.replicaIdentifier.startsWith(`${database.identifier}-`)
  )
    add(
      'database.replicaIdentifier',
      `${database.replicaIdentifier} does not begin with ${database.identifier}-: the recovery's roles may promote and protect only what does.`,
      `name it ${database.identifier}-<something>.`,
    );
  database.applicationRoles.forEach((role, index) => {
    if (role.name === database.masterUsername || role.secretName === database.masterSecretName)
      add(
        `database.applicationRoles.${index}`,
        `the application logs in as the master user ${role.name}, so a fence cannot hold: recovery needs that login.`,
        'give the application a role of its own.',
      );
  });
  return conflicts;
}

const minutesOf = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));

/** True where `minute` of the day lies in [from, to), which may pass midnight. */
function insideWindow(minute: number, from: number, to: number): boolean {
  return from <= to ? minute >= from && minute < to : minute >= from || minute < to;
}

/** What must not meet RDS at work: it refuses snapshots, and restores, of an instance that it backs up or changes. */
const timed = [
  { field: 'databaseDrill', what: 'the drill', example: 'cron(0 4 1 * ? *)' },
  { field: 'regionDrill', what: 'the drill of the Region', example: 'cron(0 4 10 1,7 ? *)' },
  { field: 'backup', what: 'the backup', example: 'cron(0 2 * * ? *)' },
  { field: 'backupProof', what: 'the proof of the backup', example: 'cron(0 3 ? * SUN *)' },
  { field: 'dumpProof', what: 'the proof of the dump', example: 'cron(0 3 ? * SAT *)' },
] as const;

function windowConflicts({ database, schedules }: Checked): Conflict[] {
  const windows = [
    {
      name: 'backupWindow',
      text: database.backupWindow,
      from: database.backupWindow.slice(0, 5),
      to: database.backupWindow.slice(6, 11),
    },
    {
      name: 'maintenanceWindow',
      text: database.maintenanceWindow,
      from: database.maintenanceWindow.slice(4, 9),
      to: database.maintenanceWindow.slice(14, 19),
    },
  ];
  return timed.flatMap(({ field, what, example }): Conflict[] => {
    const cron = schedules[field];
    const [, minute, hour] = /^cron\((\d+) (\d+) /.exec(cron) ?? [];
    const path = ['schedules', field];
    if (hour === undefined)
      return [
        {
          path,
          reason: `${cron} has no fixed time of day.`,
          fix: `give minute and hour as numbers, such as ${example}.`,
        },
      ];
    const begins = Number(hour) * 60 + Number(minute);
    return windows
      .filter((window) => insideWindow(begins, minutesOf(window.from), minutesOf(window.to)))
      .map((window) => ({
        path,
        reason: `${what} at ${cron} falls into the instance's ${window.name} ${window.text}.`,
        fix: `move ${what} or the window.`,
      }));
  });
}

const trafficNames = ['recordName', 'drillRecordName', 'primaryRecordName', 'drRecordName'] as const;

function trafficConflicts({ traffic, automatic, primary }: Checked): Conflict[] {
  const zone = traffic.hostedZoneName;
  const misplaced = trafficNames.flatMap((field, index): Conflict[] => {
    const name = traffic[field];
    const path = ['traffic', field];
    if (!name.endsWith(`.${zone}`))
      return [{ path, reason: `${name} is not in the zone ${zone}.`, fix: `give a name that ends in .${zone}.` }];
    const twin = trafficNames.slice(0, index).find((other) => traffic[other] === name);
    return twin === undefined
      ? []
      : [{ path, reason: `${name} is the name of traffic.${twin}.`, fix: 'give each record a name of its own.' }];
  });
  // Route 53's control plane is in us-east-1 (aws-facts): a failover that writes records cannot outlive that Region.
  if (traffic.strategy === 'change-record-sets' && automatic.region !== 'off' && primary.region === 'us-east-1')
    misplaced.push({
      path: ['traffic', 'strategy'],
      reason:
        "change-record-sets needs Route 53's control plane, which is in us-east-1, the Region that is to be lost.",
      fix: "use 'health-check', or set automatic.region to 'off'.",
    });
  return misplaced;
}

function fencingConflicts({ region: { fencing }, objectives, approval, validation, database }: Checked): Conflict[] {
  if (fencing.mode !== 'strict') return [];
  const { tenureSeconds, fenceSeconds } = fencing;
  const conflicts: Conflict[] = [];
  const add = (field: string, reason: string, fix: string) =>
    conflicts.push({ path: ['region', 'fencing', field], reason, fix });
  if (tenureSeconds < shortestTenureSeconds)
    add(
      'tenureSeconds',
      `production would stop after ${tenureSeconds} s without the DR Region, and its guard renews once a minute: one failed call would stop it.`,
      `set at least ${shortestTenureSeconds}.`,
    );
  if (fenceSeconds < shortestFenceSeconds)
    add(
      'fenceSeconds',
      `${fenceSeconds} s are too short: the guard looks once a minute, waits up to half a minute for a DR Region that hangs, and needs as long for the fence and its proof.`,
      `set at least ${shortestFenceSeconds}.`,
    );
  const { rtoSeconds } = objectives;
  const restore = database.regionProtection === 'replica' ? 0 : database.expectedRestoreSeconds;
  const others = approval.timeoutSeconds + restore + validation.gateSeconds;
  if (tenureSeconds + fenceSeconds + others > rtoSeconds)
    add(
      'tenureSeconds',
      `a failover may wait ${approval.timeoutSeconds} s for a person and then ${tenureSeconds + fenceSeconds} s for the end of the tenure and the fence; with ${restore + validation.gateSeconds} s for restore and gate that is more than the RTO of ${rtoSeconds} s.`,
      "shorten it or approval.timeoutSeconds, raise the RTO, or use { mode: 'default' }.",
    );
  return conflicts;
}

function backupConflicts({ backup, schedules }: Checked): Conflict[] {
  const conflicts: Conflict[] = [];
  if (backup.missedSeconds <= backup.lateSeconds)
    conflicts.push({
      path: ['backup', 'missedSeconds'],
      reason: `a backup counts as missed after ${backup.missedSeconds} s, before it is late (${backup.lateSeconds} s).`,
      fix: 'set it above backup.lateSeconds.',
    });
  // `cron(0 2 * * ? *)`: every day of the month, of the week and of the year.
  if (/^cron\(\d+ \d+ /.test(schedules.backup) && !/ (\* \* \?|\? \* \*) \*\)$/.test(schedules.backup))
    conflicts.push({
      path: ['schedules', 'backup'],
      reason: `${schedules.backup} is not every day, as the plan has it.`,
      fix: 'give cron(<minute> <hour> * * ? *).',
    });
  return conflicts;
}
