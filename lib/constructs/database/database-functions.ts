import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Permissions } from '../permissions.ts';
import { type FunctionHome, makersOf } from '../recovery-function.ts';

/** The steps of database-recovery, and what keeps watch over the active database. */
export function databaseFunctions(scope: Construct, home: FunctionHome, may: Permissions, keyArn: string) {
  const { database, application, canary } = home.configuration;
  const master = () => may.readSecrets(database.masterSecretName);
  const sentinel = () => may.readSecrets(database.sentinelRole.secretName);
  const applicationSecrets = database.applicationRoles.map((role) => role.secretName);
  const fencing = () => may.readSecrets(database.masterSecretName, ...applicationSecrets);
  const endpoints = [application.databaseEndpointParameter, canary.databaseEndpointParameter];
  const tell = () => [may.announce(), may.useTopicKey(keyArn)];
  const { outside, inside } = makersOf(scope, home, 'database');
  return {
    AssessDatabase: inside('assess-database', 'Decides source, restore point and candidate', [
      may.timeline(),
      may.readControl(),
      may.seeDatabases(),
      may.findDumps(),
      sentinel(),
    ]),
    FenceSource: inside(
      'fence-source',
      'Fences production and proves it',
      [
        may.timeline(),
        may.readControl(),
        may.writeActiveDatabase(),
        may.seeDatabases(),
        may.seeExecutions(),
        fencing(),
        ...tell(),
        may.tellCustomers(),
      ],
      Duration.minutes(2),
    ),
    SnapshotSource: outside('snapshot-source', 'Keeps what the fenced source holds', [
      may.timeline(),
      may.seeDatabases(),
      ...may.keepSafetySnapshot(),
    ]),
    AwaitSnapshot: outside('await-snapshot', 'Asks whether the safety snapshot is complete', [
      may.timeline(),
      may.seeDatabases(),
    ]),
    ProtectDatabase: outside('protect-database', 'Gives the new production its protection', [
      may.timeline(),
      may.readControl(),
      may.seeDatabases(),
      ...may.configureRestored(),
    ]),
    AwaitProtected: outside('await-protected', 'Asks whether the protection is in force', [
      may.timeline(),
      may.seeDatabases(),
      may.seeDatabaseEvents(),
    ]),
    RestoreDatabase: outside('restore-database', 'Starts the restore to a new instance', [
      may.timeline(),
      may.seeDatabases(),
      may.seeExecutions(),
      ...may.restoreDatabase(),
      ...may.useDatabaseKeys(),
      master(),
    ]),
    AwaitAvailable: outside('await-available', 'Asks whether the restored instance is available', [
      may.timeline(),
      may.seeDatabases(),
      may.seeDatabaseEvents(),
    ]),
    ConfigureDatabase: outside('configure-database', 'Sets what a restore cannot set', [
      may.timeline(),
      may.seeDatabases(),
      ...may.configureRestored(),
      ...may.useDatabaseKeys(),
      master(),
    ]),
    AwaitUsable: inside('await-usable', 'Asks whether the restored instance is usable', [
      may.timeline(),
      may.seeDatabases(),
      may.seeDatabaseEvents(),
      master(),
    ]),
    FenceDatabase: inside(
      'fence-database',
      'Fences the candidate and proves it',
      [
        may.timeline(),
        may.readControl(),
        may.seeDatabases(),
        may.modifyRestored(),
        may.readSecrets(database.masterSecretName, ...applicationSecrets),
      ],
      Duration.minutes(2),
    ),
    SetCredentials: inside('set-credentials', 'Gives every role the password of its current secret', [
      may.timeline(),
      may.readSecrets(
        database.masterSecretName,
        ...applicationSecrets,
        database.heartbeatRole.secretName,
        database.sentinelRole.secretName,
      ),
    ]),
    CheckParity: inside(
      'check-parity',
      'Compares the candidate with its source',
      [may.timeline(), may.seeDatabases(), sentinel()],
      Duration.minutes(2),
    ),
    CutOver: inside(
      'cut-over',
      'Puts the candidate into service',
      [
        may.timeline(),
        may.readControl(),
        may.writeActiveDatabase(),
        may.recordDebt(),
        may.seeDatabases(),
        fencing(),
        may.readParameters(...endpoints),
        may.writeParameters(...endpoints),
        may.findCluster(canary.deployment.cluster),
        ...tell(),
      ],
      Duration.minutes(2),
    ),
    AwaitWorkload: inside('await-workload', 'Asks whether the workload runs on the new endpoint', [
      may.timeline(),
      may.findCluster(canary.deployment.cluster),
    ]),
    TearDown: outside('tear-down', 'Deletes the drill’s candidate and nothing else', [
      may.timeline(),
      may.readControl(),
      may.seeDatabases(),
      ...may.deleteDrill(),
      may.readParameters(canary.databaseEndpointParameter),
      may.writeParameters(canary.databaseEndpointParameter),
    ]),
    AwaitTornDown: outside('await-torn-down', 'Asks whether anything of the drill is left', [
      may.timeline(),
      may.seeDatabases(),
    ]),
    WriteHeartbeat: inside('write-heartbeat', 'Writes the heartbeat that measures the RPO', [
      may.readControl(),
      may.readSecrets(database.heartbeatRole.secretName),
      may.putMetrics(),
    ]),
    LookForDamage: inside(
      'look-for-damage',
      'Looks for damage in the active database',
      [may.readControl(), may.timeline(), may.seeDatabases(), sentinel(), may.putMetrics()],
      Duration.minutes(4),
    ),
    PrepareDatabase: inside('prepare-database', 'Creates the product’s schema and roles; idempotent', [
      may.readControl(),
      may.seeDatabases(),
      may.readSecrets(database.masterSecretName, database.heartbeatRole.secretName, database.sentinelRole.secretName),
    ]),
    RegisterDatabase: outside('register-database', 'Registers the first active database', [
      may.readControl(),
      may.writeActiveDatabase(),
      may.seeDatabases(),
    ]),
  };
}
