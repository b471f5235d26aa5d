import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { clusterPermissionsOf } from '../cluster/cluster-permissions.ts';
import { configurationPermissionsOf } from '../configuration/configuration-permissions.ts';
import type { Permissions } from '../permissions.ts';
import { type FunctionHome, makersOf } from '../recovery-function.ts';
import { regionPermissionsOf } from '../region/region-permissions.ts';

/** The functions that open, guard and close incidents, whatever the scenario. */
export function incidentFunctions(scope: Construct, home: FunctionHome, may: Permissions, keyArn: string) {
  const { database, application, canary, cluster } = home.configuration;
  const mayAlso = clusterPermissionsOf(home.configuration, home.network.region);
  const ofRegion = regionPermissionsOf(home.configuration, home.network.region);
  const endpoints = [application.databaseEndpointParameter, canary.databaseEndpointParameter];
  /** To unfence the source and to send the application back to it. */
  const undo = (...clusters: string[]) => [
    may.readControl(),
    may.writeActiveDatabase(),
    may.seeDatabases(),
    // A failover that failed opens again what it fenced in the Region that production was to leave.
    may.seeDatabasesElsewhere(),
    may.readSecrets(database.masterSecretName, ...database.applicationRoles.map((role) => role.secretName)),
    may.readParameters(...endpoints),
    may.writeParameters(...endpoints),
    may.findCluster(application.deployment.cluster, ...clusters),
  ];
  const tell = () => [may.announce(), may.useTopicKey(keyArn)];
  const { outside, inside } = makersOf(scope, home, 'incident');
  return {
    AcceptRequest: outside('accept-request', 'Checks a request against what is there; reads only', [
      may.readTimeline(),
      may.readControl(),
      may.seeDatabases(),
      may.findDumps(),
      may.seeExecutions(),
      may.seeAlarms(),
    ]),
    TakeLease: outside('take-lease', 'Takes the environment’s lease in the DR Region', [
      may.timeline(),
      may.readControl(),
      may.holdLease(),
      may.seeExecutions(),
      may.stopDrill(),
    ]),
    OpenIncident: outside('open-incident', 'Opens the incident and declares it', [may.timeline(), ...tell()]),
    RequestApproval: outside('request-approval', 'Asks a named person to approve the recovery', [
      may.timeline(),
      may.readControl(),
      may.askApproval(),
      ...tell(),
    ]),
    Compensate: inside(
      'compensate',
      'Undoes, last first, what a failed recovery registered',
      [may.timeline(), ...undo(), ...tell()],
      Duration.minutes(2),
    ),
    StartFollowUp: outside('start-follow-up', 'Starts the drill that validates the recovered database in depth', [
      may.timeline(),
      may.startRecovery('database-recovery'),
    ]),
    CloseIncident: outside(
      'close-incident',
      'Compiles the evidence, tells the outcome, releases the lease',
      [
        may.timeline(),
        may.readControl(),
        may.holdLease(),
        may.keepEvidence(),
        may.putMetrics(),
        ...tell(),
        may.tellCustomers(),
      ],
      Duration.minutes(2),
    ),
    ReportRefusal: outside('report-refusal', 'Tells people why nothing was started', [
      may.timeline(),
      may.readControl(),
      may.holdLease(),
      ...tell(),
    ]),
    TriageAlarm: outside('triage-alarm', 'Decides whether an alarm or event starts a recovery', [
      may.timeline(),
      may.readControl(),
      may.seeAlarms(),
      may.seeExecutions(),
      may.startRecovery('database-recovery', 'cluster-recovery'),
      may.stopDrill(),
      ...tell(),
    ]),
    ReportProgress: outside('report-progress', 'Tells people how the recovery that runs stands', [
      may.timeline(),
      may.readControl(),
      may.seeExecutions(),
      ...tell(),
    ]),
    CleanUpStopped: inside(
      'clean-up-stopped',
      'Cleans up after an execution that was stopped or timed out',
      [
        may.timeline(),
        may.holdLease(),
        ...(cluster.drillAccount ? [...undo(), ...mayAlso.assumeDrillRole()] : undo(cluster.drill.cluster)),
        ...may.deleteDrill(),
        ofRegion.setLatch('drill-traffic'),
        ...ofRegion.changeRecords(),
        mayAlso.destroyDrill(),
        ...configurationPermissionsOf(home.configuration, home.network.region).removeDrill(),
        may.keepEvidence(),
        may.putMetrics(),
        may.seeExecutions(),
        ...tell(),
        may.tellCustomers(),
      ],
      Duration.minutes(2),
    ),
    DecideApproval: outside('decide-approval', 'Records a person’s decision about a recovery', [
      may.timeline(),
      may.readControl(),
      ...may.answerApproval(),
    ]),
  };
}
