import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Permissions } from '../permissions.ts';
import { type FunctionHome, makersOf } from '../recovery-function.ts';

/** The functions that open, guard and close incidents, whatever the scenario. */
export function incidentFunctions(scope: Construct, home: FunctionHome, may: Permissions, keyArn: string) {
  const { canary } = home.configuration;
  const tell = () => [may.announce(), may.useTopicKey(keyArn)];
  const { outside } = makersOf(scope, home, 'incident');
  return {
    AcceptRequest: outside('accept-request', 'Checks a request against what is there; reads only', [
      may.readTimeline(),
      may.readControl(),
      may.seeDatabases(),
      may.seeExecutions(),
      may.seeAlarms(),
    ]),
    TakeLease: outside('take-lease', 'Takes the environment’s lease in the DR Region', [
      may.timeline(),
      may.readControl(),
      may.holdLease(),
      may.seeExecutions(),
    ]),
    OpenIncident: outside('open-incident', 'Opens the incident and declares it', [may.timeline(), ...tell()]),
    CloseIncident: outside(
      'close-incident',
      'Compiles the evidence, tells the outcome, releases the lease',
      [may.timeline(), may.readControl(), may.holdLease(), may.keepEvidence(), may.putMetrics(), ...tell()],
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
      may.startRecovery('database-recovery'),
      ...tell(),
    ]),
    CleanUpStopped: outside(
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
    DecideApproval: outside('decide-approval', 'Records a person’s decision about a recovery', [
      may.timeline(),
      may.answerApproval(),
    ]),
  };
}
