import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Permissions } from '../permissions.ts';
import { type FunctionHome, makersOf } from '../recovery-function.ts';

/** The steps of the backup machine, and the watch over its days. */
export function backupFunctions(scope: Construct, home: FunctionHome, may: Permissions, keyArn: string) {
  const { database, application, backup, dr, primary } = home.configuration;
  const other = home.network.region === dr.region ? primary.region : dr.region;
  const secretNames = [
    database.masterSecretName,
    database.heartbeatRole.secretName,
    database.sentinelRole.secretName,
    ...database.applicationRoles.map((role) => role.secretName),
  ];
  /** To judge snapshots of both Regions. */
  const judge = () => [may.seeDatabases(), may.seeBackupsElsewhere(), may.resolveBackupKeys(), may.readBackups()];
  const { outside, inside } = makersOf(scope, home, 'backup');
  return {
    AcceptBackup: outside('accept-backup', 'Decides whether this Region makes the backup, and of what', [
      may.readControl(),
      may.seeExecutions(),
      may.recordBackup(),
    ]),
    TakeSnapshot: outside('take-snapshot', 'Starts the day’s snapshot', [may.seeDatabases(), ...may.takeBackup()]),
    AwaitBackup: outside('await-backup', 'Asks whether the day’s snapshot is complete', [may.seeDatabases()]),
    CopySnapshot: outside('copy-snapshot', 'Starts the copy to the other Region', [
      may.seeDatabases(),
      may.seeBackupsElsewhere(),
      may.resolveBackupKeys(),
      ...may.copyBackup(),
      ...may.useDatabaseKeys(),
      ...may.useDatabaseKeys(other),
    ]),
    AwaitCopy: outside('await-copy', 'Asks whether the copy is complete', [may.seeBackupsElsewhere()]),
    VerifyBackup: outside('verify-backup', 'Judges the day’s backup in both Regions', judge()),
    KeepSnapshots: outside(
      'keep-snapshots',
      'Deletes the backups that the plan does not keep',
      [...judge(), may.deleteBackups()],
      Duration.seconds(90),
    ),
    AssureProtection: outside('assure-protection', 'Repairs drift of the settings of automated backups', [
      may.seeDatabases(),
      may.seeBackupsElsewhere(),
      may.resolveBackupKeys(),
      ...may.protectProduction(),
      ...may.useDatabaseKeys(other),
    ]),
    ExportCluster: inside(
      'export-cluster',
      'Exports the manifests of the application’s namespaces',
      [may.findCluster(application.deployment.cluster), may.keepClusterState()],
      Duration.minutes(5),
    ),
    CheckConfiguration: outside(
      'check-configuration',
      'Looks at what a recovery in the other Region needs besides data',
      [may.readParameters(backup.commitParameter), ...may.seeConfiguration(...secretNames)],
      Duration.seconds(90),
    ),
    CheckDump: outside(
      'check-dump',
      'Reads the newest nightly dump to its end',
      [may.findDumps(), ...may.readDumps()],
      Duration.minutes(15),
    ),
    StartProof: outside('start-proof', 'Starts the drill that proves the newest snapshot, or dump', [
      ...judge(),
      may.findDumps(),
      may.startRecovery('database-recovery'),
    ]),
    AwaitProof: outside('await-proof', 'Asks what the drill proved, and records it', [
      may.timeline(),
      may.seeExecutions(),
    ]),
    ReportBackup: outside('report-backup', 'Puts the run on record and tells people', [
      may.recordBackup(),
      may.keepEvidence(),
      may.putMetrics(),
      may.announce(),
      may.useTopicKey(keyArn),
    ]),
    WatchBackups: outside('watch-backups', 'Says whether the day has its backup', [
      may.readControl(),
      may.readBackups(),
      may.putMetrics(),
    ]),
  };
}
