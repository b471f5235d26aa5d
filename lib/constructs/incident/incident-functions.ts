import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Permissions } from '../permissions.ts';
import { type FunctionHome, RecoveryFunction, type RecoveryFunctionProps } from '../recovery-function.ts';

/** The functions that open, guard and close incidents, whatever the scenario. */
export function incidentFunctions(scope: Construct, home: FunctionHome, may: Permissions, keyArn: string) {
  const { canary } = home.configuration;
  const tell = () => [may.announce(), may.useTopicKey(keyArn)];
  const make = (
    path: string,
    description: string,
    statements: RecoveryFunctionProps['statements'],
    timeout = Duration.seconds(30),
  ) => new RecoveryFunction(scope, home, { path: `incident/${path}`, description, statements, timeout }).lambda;
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
    ]),
    OpenIncident: make('open-incident', 'Opens the incident and declares it', [may.timeline(), ...tell()]),
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
      ...tell(),
    ]),
    CleanUpStopped: make(
      'clean-up-stopped',
      'Cleans up after an execution that was stopped or timed out',
      [
        may.timeline(),
        may.readControl(),
        may.holdLease(),
        may.seeDatabases(),
        may.readParameters(canary.databaseEndpointParameter),
        may.writeParameters(canary.databaseEndpointParameter),
        ...may.deleteDrill(),
        may.keepEvidence(),
        may.putMetrics(),
        may.seeExecutions(),
        ...tell(),
      ],
      Duration.minutes(2),
    ),
    DecideApproval: make('decide-approval', 'Records a person’s decision about a recovery', [
      may.timeline(),
      may.answerApproval(),
    ]),
  };
}
