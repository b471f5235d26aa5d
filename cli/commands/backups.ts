/** `dr backups`: every backup of every kind, with its age, its Region and what proves it. */
import {
  type DBSnapshot,
  DescribeDBInstanceAutomatedBackupsCommand,
  paginateDescribeDBSnapshots,
} from '@aws-sdk/client-rds';
import { paginateListObjectsV2 } from '@aws-sdk/client-s3';
import type { BackupRecord, Proof } from '../../core/backup/contracts.ts';
import { momentOfSnapshot } from '../../core/backup/names.ts';
import { refuseAsOurs, verdictOn } from '../../core/backup/retention.ts';
import { momentOfDump } from '../../core/database/dump/names.ts';
import type { TrendPoint } from '../../core/incident/contracts.ts';
import { isBefore } from '../../core/incident/moments.ts';
import type { Clients } from '../clients.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { dr as hint } from '../hints.ts';
import { clientsIn, type Operator, operatorAt } from '../operator.ts';
import type { OperatorOptions } from '../operator-options.ts';
import { listBackupProofs, listBackupRuns, listDrillTrend } from '../records.ts';
import { clock, duration, Screen } from '../screen.ts';
import { troubleOf } from '../trouble.ts';

/** One thing that can be restored. */
export interface Backup {
  readonly kind: 'daily backup' | 'snapshot' | 'automated snapshot' | 'point in time' | 'dump' | 'cluster state';
  readonly name: string;
  readonly region: string;
  /** What it holds is of this moment. */
  readonly at: string | undefined;
  /** What is wrong with it, where that is known without restoring it. */
  readonly flaw?: string;
}

export interface BackupList {
  readonly backups: readonly Backup[];
  /** Newest first. */
  readonly runs: readonly BackupRecord[];
  readonly proofs: readonly Proof[];
  readonly drills: readonly TrendPoint[];
  /** Regions that did not answer: what they hold is unknown. */
  readonly silent: readonly string[];
}

/** Exit 0: all of it was told. 3: a Region did not answer, so that part of it is unknown. */
export async function backups(options: OperatorOptions): Promise<ExitCode> {
  const operator = await operatorAt(options);
  const screen = new Screen();
  const now = Date.now();
  const list = await readBackups(operator);
  screen.heading(`Backups of ${operator.configuration.environment}, at ${clock(new Date(now).toISOString())}`);
  screen.line();
  for (const region of list.silent) screen.text(`UNKNOWN: ${region} does not answer: what it holds is missing below.`);
  screen.table([['Kind', 'Region', 'Age', 'Backup', 'Proof'], ...backupRows(list, now)]);
  screen.heading('Last run');
  screen.text(lastRun(list));
  return list.silent.length === 0 ? exitCodes.passed : exitCodes.broken;
}

const runsRead = 40;

/** Throws where no Region answers. */
export async function readBackups(operator: Operator): Promise<BackupList> {
  const { configuration, names } = operator;
  const regions = [configuration.primary.region, configuration.dr.region];
  const silent: string[] = [];
  const read = async (region: string) => {
    const clients = clientsIn(operator, region);
    try {
      const [inRds, inS3, runs, proofs, drills] = await Promise.all([
        rdsBackups(clients, region, operator),
        storedBackups(clients, region, operator),
        listBackupRuns(clients.dynamodb, names.incidentTable, runsRead),
        listBackupProofs(clients.dynamodb, names.incidentTable, runsRead),
        listDrillTrend(clients.dynamodb, names.incidentTable, 10),
      ]);
      return { backups: [...inRds, ...inS3], runs, proofs, drills };
    } catch (error) {
      if (!troubleOf(error, process.env.AWS_ENDPOINT_URL)?.isSilence) throw error;
      silent.push(region);
      if (silent.length === regions.length) throw error;
      return { backups: [], runs: [], proofs: [], drills: [] };
    }
  };
  const found = await Promise.all(regions.map(read));
  const newest = (a: BackupRecord, b: BackupRecord) => (isBefore(a.run.startedAt, b.run.startedAt) ? 1 : -1);
  return {
    backups: found.flatMap((each) => each.backups),
    runs: found.flatMap(({ runs }) => runs).toSorted(newest),
    proofs: found.flatMap(({ proofs }) => proofs),
    drills: found.flatMap(({ drills }) => drills),
    silent,
  };
}

/** Under whichever identifier production ran: a recovery adds to the first one. */
async function rdsBackups({ rds }: Clients, region: string, { configuration }: Operator): Promise<Backup[]> {
  const { identifier } = configuration.database;
  const isOurs = (name = '') => name === identifier || name.startsWith(`${identifier}-`);
  const snapshots: Backup[] = [];
  for await (const { DBSnapshots = [] } of paginateDescribeDBSnapshots({ client: rds }, {}))
    snapshots.push(
      ...DBSnapshots.filter((each) => isOurs(each.DBInstanceIdentifier)).map((each) =>
        asBackup(each, region, configuration.environment),
      ),
    );
  const { DBInstanceAutomatedBackups = [] } = await rds.send(new DescribeDBInstanceAutomatedBackupsCommand({}));
  const windows = DBInstanceAutomatedBackups.filter((each) => isOurs(each.DBInstanceIdentifier)).map(
    ({ DBInstanceIdentifier, RestoreWindow, Status }): Backup => {
      const { EarliestTime, LatestTime } = RestoreWindow ?? {};
      const from = EarliestTime ? ` from ${clock(EarliestTime.toISOString())} on` : '';
      return {
        kind: 'point in time',
        name: `${DBInstanceIdentifier}${from} (${Status})`,
        region,
        at: LatestTime?.toISOString(),
        ...(LatestTime === undefined ? { flaw: 'nothing can be restored yet' } : {}),
      };
    },
  );
  return [...snapshots, ...windows];
}

function asBackup(snapshot: DBSnapshot, region: string, environment: string): Backup {
  const {
    DBSnapshotIdentifier: name = '',
    DBSnapshotArn: arn = '',
    DbiResourceId: resourceId,
    Status: status = '',
  } = snapshot;
  const encrypted = snapshot.Encrypted ?? false;
  const tags = Object.fromEntries((snapshot.TagList ?? []).map(({ Key = '', Value = '' }) => [Key, Value]));
  const ours = { identifier: name, arn, resourceId, status, encrypted, keyArn: snapshot.KmsKeyId, tags };
  const isDaily = refuseAsOurs(ours, environment) === undefined;
  const flaw = status !== 'available' ? `it is ${status}` : encrypted ? undefined : 'it is not encrypted';
  return {
    kind: isDaily ? 'daily backup' : snapshot.SnapshotType === 'automated' ? 'automated snapshot' : 'snapshot',
    name,
    region,
    at: isDaily ? momentOfSnapshot(name) : snapshot.SnapshotCreateTime?.toISOString(),
    ...(flaw === undefined ? {} : { flaw }),
  };
}

const clusterStates = 'backups/cluster-state/';

async function storedBackups({ s3 }: Clients, region: string, { configuration, names }: Operator): Promise<Backup[]> {
  const { dumpPrefix } = configuration.database;
  const { dumpBucket } = region === configuration.dr.region ? configuration.dr : configuration.primary;
  const found: Backup[] = [];
  for await (const { Contents = [] } of paginateListObjectsV2(
    { client: s3 },
    { Bucket: dumpBucket, Prefix: dumpPrefix },
  ))
    for (const { Key = '' } of Contents) {
      const name = Key.slice(dumpPrefix.length);
      const at = momentOfDump(name);
      if (at !== undefined) found.push({ kind: 'dump', name, region, at });
    }
  const exports = { Bucket: names.evidenceBucket(region), Prefix: clusterStates };
  for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, exports))
    for (const { Key = '', LastModified } of Contents)
      found.push({
        kind: 'cluster state',
        name: Key.slice(clusterStates.length),
        region,
        at: LastModified?.toISOString(),
      });
  return found;
}

const kinds: readonly Backup['kind'][] = [
  'daily backup',
  'point in time',
  'automated snapshot',
  'snapshot',
  'dump',
  'cluster state',
];

/** Kind by kind, the newest first; `now`: epoch milliseconds. */
export function backupRows(list: BackupList, now: number): string[][] {
  const order = (a: Backup, b: Backup) =>
    kinds.indexOf(a.kind) - kinds.indexOf(b.kind) || (isBefore(a.at ?? '0', b.at ?? '0') ? 1 : -1);
  return list.backups
    .toSorted(order)
    .map((backup) => [
      backup.kind,
      backup.region,
      backup.at === undefined ? '?' : age((now - Date.parse(backup.at)) / 1000),
      backup.name,
      proofOf(backup, list),
    ]);
}

/** Status of the automated backups of an instance that is there (RDS API: DBInstanceAutomatedBackup). */
const activeMark = '(active)';

const day = 86_400;
const age = (seconds: number) =>
  seconds < 2 * day ? duration(Math.max(0, seconds)) : `${Math.floor(seconds / day)} days`;

/** What shows that it can be restored; nothing is claimed that was not tried. */
function proofOf(backup: Backup, list: BackupList): string {
  const { kind, name, flaw } = backup;
  const { proofs } = list;
  if ((kind === 'daily backup' || kind === 'dump') && verdictOn(name, proofs) === 'failed')
    return `NO BACKUP: ${proofs.find(({ backup, verdict }) => backup === name && verdict === 'failed')?.why}`;
  if (flaw !== undefined) return `NO BACKUP: ${flaw}`;
  switch (kind) {
    case 'daily backup':
      return restoredAt(backup, list) ?? 'not proven yet';
    case 'point in time': {
      // Drills restore production's own; what the other Region replicates is another backup.
      const drill = name.endsWith(activeMark) ? list.drills.find(({ succeeded }) => succeeded) : undefined;
      return drill ? `last green drill at ${clock(drill.closedAt)}` : 'not proven yet';
    }
    case 'dump':
      return restoredAt(backup, list) ?? readWhole(backup, list.runs);
    case 'cluster state': {
      const run = list.runs.find(({ run: { id } }) => name.startsWith(`${id}/`));
      const outcome = run?.outcomes.find(({ part }) => part === 'cluster-state');
      return outcome === undefined ? 'nothing on record' : outcome.verdict === 'failed' ? outcome.summary : 'complete';
    }
    default:
      return 'not proven';
  }
}

function restoredAt({ name }: Backup, { proofs }: BackupList): string | undefined {
  const proof = proofs.find(({ backup, verdict }) => backup === name && verdict === 'passed');
  return proof && `restored by a drill at ${clock(proof.at)}`;
}

function readWhole({ name }: Backup, runs: BackupList['runs']): string {
  const run = runs.find(({ outcomes }) =>
    outcomes.some(({ part, facts }) => part === 'dump' && String(facts.dump).endsWith(`/${name}`)),
  );
  const outcome = run?.outcomes.find(({ part }) => part === 'dump');
  if (run === undefined || outcome === undefined) return 'not read';
  // Where it is only too old, it was read whole all the same: its hash is there.
  return outcome.facts.sha256 === undefined
    ? `NO BACKUP: ${outcome.summary}`
    : `read whole at ${clock(run.finishedAt)}`;
}

/** What became of the newest run, and what to type where it was none or a bad one. */
export function lastRun({ runs }: Pick<BackupList, 'runs'>): string {
  const [last] = runs.filter(({ run }) => run.task === 'backup');
  if (last === undefined) return 'No backup was made yet.';
  const failed = last.outcomes.filter(({ verdict }) => verdict === 'failed');
  const said = `${last.run.id} in ${last.run.region} ${last.verdict} at ${clock(last.finishedAt)}`;
  const what = failed.map(({ part, summary }) => `${part}: ${summary}`);
  return [
    `${said}${what.length > 0 ? '.' : '; see also:'}`,
    ...what,
    ...(what.length > 0 ? [] : [hint('status')]),
  ].join('\n');
}
