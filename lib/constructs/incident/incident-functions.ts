import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Permissions } from '../permissions.ts';
import { type FunctionHome, RecoveryFunction, type RecoveryFunctionProps } from '../recovery-function.ts';

/** The functions that open, guard and close incidents, whatever the scenario. */
export function incidentFunctions(scope: Construct, home: FunctionHome, may: Permissions, keyArn: string) {
  const { database, application, canary } = home.configuration;
  const endpoints = [application.databaseEndpointParameter, canary.databaseEndpointParameter];
  /** To unfence the source and to send the application back to it. */
  const undo = () => [
    may.readControl(),
    may.seeDatabases(),
    may.readSecrets(database.masterSecretName, ...database.applicationRoles.map((role) => role.secretName)),
    may.readParameters(...endpoints),
    may.writeParameters(...endpoints),
    may.findCluster(application.deployment.cluster),
  ];
  const tell = () => [may.announce(), may.useTopicKey(keyArn)];
  const make = (
    path: string,
    description: string,
    statements: RecoveryFunctionProps['statements'],
    timeout = Duration.seconds(30),
    reachesDatabase = false,
  ) =>
    new RecoveryFunction(scope, home, { path: `incident/${path}`, description, statements, timeout, reachesDatabase })
      .lambda;
  return {
    AcceptRequest: make('accept-request', 'Checks a request against what is there; reads only', [
      may.readTimeline(),
      may.readControl(),
      may.seeDatabases(),
      may.seeExecutions(),
      may.seeAlarms(),
    ]),
    TakeLease: make('take-lease', 'Takes the environment’s lease in the DR Region', [
      may.timeline(),
      may.readControl(),
      may.holdLease(),
      may.seeExecutions(),
      may.stopDrill(),
    ]),
    OpenIncident: make('open-incident', 'Opens the incident and declares it', [may.timeline(), ...tell()]),
    RequestApproval: make('request-approval', 'Asks a named person to approve the recovery', [
      may.timeline(),
      may.readControl(),
      may.askApproval(),
      ...tell(),
    ]),
    Compensate: make(
      'compensate',
      'Undoes, last first, what a failed recovery registered',
      [may.timeline(), ...undo(), ...tell()],
      Duration.minutes(2),
      true,
    ),
    StartFollowUp: make('start-follow-up', 'Starts the drill that validates the recovered database in depth', [
      may.timeline(),
      may.startRecovery('database-recovery'),
    ]),
    CloseIncident: make(
      'close-incident',
      'Compiles the evidence, tells the outcome, releases the lease',
      [may.timeline(), may.readControl(), may.holdLease(), may.keepEvidence(), may.putMetrics(), ...tell()],
      Duration.minutes(2),
    ),
    ReportRefusal: make('report-refusal', 'Tells people why nothing was started', [
      may.timeline(),
      may.readControl(),
      may.holdLease(),
      ...tell(),
    ]),
    TriageAlarm: make('triage-alarm', 'Decides whether an alarm or event starts a recovery', [
      may.timeline(),
      may.readControl(),
      may.seeAlarms(),
      may.seeExecutions(),
      may.startRecovery('database-recovery'),
      may.stopDrill(),
      ...tell(),
    ]),
    CleanUpStopped: make(
      'clean-up-stopped',
      'Cleans up after an execution that was stopped or timed out',
      [
        may.timeline(),
        may.holdLease(),
        ...undo(),
        ...may.deleteDrill(),
        may.keepEvidence(),
        may.putMetrics(),
        may.seeExecutions(),
        ...tell(),
      ],
      Duration.minutes(2),
      true,
    ),
    DecideApproval: make('decide-approval', 'Records a person’s decision about a recovery', [
      may.timeline(),
      may.readControl(),
      ...may.answerApproval(),
    ]),
  };
}
