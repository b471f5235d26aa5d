import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { secretNames } from '../../../core/settings.ts';
import type { Permissions } from '../permissions.ts';
import { type FunctionHome, makersOf } from '../recovery-function.ts';

/** IAM's control plane throttles: hundreds of simulations take their time. */
const simulationTime = Duration.minutes(5);

/** The steps of the readiness machine: one look each at one source, with what that takes and no more. */
export function readinessFunctions(scope: Construct, home: FunctionHome, may: Permissions) {
  const { database, application, region } = home.configuration;
  const seeBoth = () => [may.seeDatabases(), may.seeBackupsElsewhere(), may.seeDatabasesElsewhere()];
  const { outside, inside } = makersOf(scope, home, 'readiness');
  /** A Region that hangs costs three attempts of ten seconds. */
  const patient = Duration.seconds(80);
  const look = (name: string, description: string, statements: Parameters<typeof outside>[2], timeout = patient) =>
    outside(`look-at-${name}`, description, statements, timeout);
  return {
    AcceptReadiness: outside('accept-readiness', 'Decides whether this Region looks', [
      may.readControl(),
      may.putMetrics(),
    ]),
    LookAtDatabases: look('databases', 'Looks at restore windows, backups and the replica', seeBoth()),
    LookAtHeartbeat: look('heartbeat', 'Looks at the newest heartbeats', [may.seeMetrics()]),
    LookAtReplica: inside(
      'look-at-replica',
      'Looks at the newest heartbeat of the replica',
      [may.seeDatabases(), may.readSecrets(database.sentinelRole.secretName)],
      patient,
    ),
    LookAtRecords: look('records', 'Looks at proofs, drills, tenure, profile and baseline, and copies the last two', [
      may.seeRecords(),
      ...may.keepRecord('profile', 'baseline'),
      ...(region.fencing.mode === 'strict' ? [may.readControl()] : []),
    ]),
    LookAtKeys: look('keys', 'Looks at the state of keys', [may.resolveBackupKeys(), ...seeBoth()]),
    LookAtSecrets: look('secrets', 'Looks at the versions of secrets', [
      may.seeSecretVersions(...secretNames({ database })),
    ]),
    LookAtImages: look('images', 'Looks for the images that run', [...may.seeClusterState(), may.seeImages()]),
    LookAtTerraform: look('terraform', 'Looks at the Terraform states', [may.seeTerraformStates(home.network)]),
    LookAtQuotas: look('quotas', 'Looks at quotas and what is used of them', [may.seeQuotas(), ...seeBoth()]),
    LookAtPermissions: look(
      'permissions',
      'Simulates every call of a recovery',
      [...may.simulatePermissions(), may.resolveBackupKeys(), ...may.keepRecord('readiness-permissions')],
      simulationTime,
    ),
    LookAtCluster: inside(
      'look-at-cluster',
      'Looks whether the cluster admits the recovery',
      [may.findCluster(application.deployment.cluster)],
      patient,
    ),
    LookAtSubscriptions: look('subscriptions', 'Looks at who has confirmed', [may.seeSubscriptions()]),
    LookAtDns: look('dns', 'Looks at the records that traffic is shifted by', may.seeRecordSets()),
    LookAtEndpoint: inside(
      'look-at-endpoint',
      'Looks at the certificate of the application here',
      [may.readParameters(application.urlParameter)],
      patient,
    ),
    WakeFunctions: outside('wake-functions', 'Keeps the functions of a recovery awake', [may.wakeFunctions()]),
    ReportReadiness: outside('report-readiness', 'Judges, keeps and measures what was seen', [
      ...may.keepRecord('readiness'),
      may.putMetrics(),
    ]),
  };
}
