import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Permissions } from '../permissions.ts';
import { type FunctionHome, makersOf } from '../recovery-function.ts';
import type { ConfigurationPermissions } from './configuration-permissions.ts';

/** The steps of configuration-recovery, and what watches over configuration. Route 53 takes five calls a second. */
export function configurationFunctions(
  scope: Construct,
  home: FunctionHome,
  may: Permissions,
  mayAlso: ConfigurationPermissions,
  keyArn: string,
) {
  const { outside } = makersOf(scope, home, 'configuration');
  const patient = Duration.minutes(1);
  const seeKeys = () => [mayAlso.seeKeys(), mayAlso.findDatabaseKeys()];
  return {
    AcceptRequest: outside('accept-recovery', 'Checks a request against what is there; reads only', [
      may.readTimeline(),
      may.readControl(),
      may.seeExecutions(),
      may.seeAlarms(),
    ]),
    LookAtResources: outside(
      'look-at-resources',
      'Looks at what Terraform does not bring back',
      [
        may.timeline(),
        may.readControl(),
        ...mayAlso.readZone(),
        ...mayAlso.readRecordings(),
        mayAlso.seeSecrets(),
        mayAlso.seeBuckets(),
        mayAlso.seeKeys(),
        may.seeDatabases(),
      ],
      patient,
    ),
    JudgeFindings: outside('judge-findings', 'Decides what is restored, and how', [may.timeline()]),
    RestoreResources: outside(
      'restore-resources',
      'Restores records, secrets and keys from their own backups',
      [
        may.timeline(),
        ...mayAlso.restoreRecords(),
        ...mayAlso.readRecordings(),
        mayAlso.seeSecrets(),
        ...mayAlso.restoreSecrets(),
        mayAlso.seeKeys(),
        mayAlso.restoreKeys(),
      ],
      patient,
    ),
    MakeDrill: outside(
      'make-drill',
      'Makes a record and a secret of a drill, and deletes them',
      [may.timeline(), ...mayAlso.readZone(), ...mayAlso.makeDrill(), mayAlso.keepRecordings()],
      patient,
    ),
    RemoveDrill: outside(
      'remove-drill',
      'Removes what a drill made',
      [may.timeline(), ...mayAlso.removeDrill()],
      patient,
    ),
    TriageChange: outside('triage-change', 'Decides whether a change or a drift starts a recovery', [
      may.timeline(),
      may.readControl(),
      may.seeAlarms(),
      may.seeExecutions(),
      may.startRecovery('configuration-recovery', 'database-recovery', 'cluster-recovery'),
      may.stopDrill(),
      may.announce(),
      may.useTopicKey(keyArn),
      ...seeKeys(),
    ]),
    WatchConfiguration: outside(
      'watch-configuration',
      'Records the zone, and starts the comparison with Git',
      [
        may.readControl(),
        may.putMetrics(),
        ...mayAlso.readZone(),
        ...mayAlso.readRecordings(),
        mayAlso.keepRecordings(),
        mayAlso.startCheck(),
      ],
      patient,
    ),
  };
}
