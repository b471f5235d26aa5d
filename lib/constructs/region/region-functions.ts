import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Permissions } from '../permissions.ts';
import { type FunctionHome, makersOf } from '../recovery-function.ts';
import { regionPermissionsOf } from './region-permissions.ts';

/** Two Regions are asked, and the other one may hang. */
const patient = Duration.seconds(60);

/** The steps of region-failover that no other machine has, what watches the primary, and what fences whatever returns. */
export function regionFunctions(scope: Construct, home: FunctionHome, may: Permissions, keyArn: string) {
  const { database, application, region, traffic } = home.configuration;
  const own = regionPermissionsOf(home.configuration, home.network.region);
  const applicationSecrets = database.applicationRoles.map((role) => role.secretName);
  const fencing = () => may.readSecrets(database.masterSecretName, ...applicationSecrets);
  const master = () => may.readSecrets(database.masterSecretName);
  const sentinel = () => may.readSecrets(database.sentinelRole.secretName);
  const { cluster } = application.deployment;
  const { primary, dr } = home.configuration;
  const otherRegion = home.network.region === dr.region ? primary.region : dr.region;
  const tell = () => [may.announce(), may.useTopicKey(keyArn)];
  const { outside, inside } = makersOf(scope, home, 'region');
  return {
    ProbePrimary: inside(
      'probe-primary',
      'Looks at production’s Region from outside',
      [
        may.readControl(),
        may.seeDatabasesElsewhere(),
        may.readParameters(region.peerUrlParameter),
        own.recordLook(),
        may.putMetrics(),
        sentinel(),
      ],
      patient,
    ),
    PublishLatch: outside('publish-latch', 'Says to CloudWatch where the latches hold traffic', [
      may.readControl(),
      may.putMetrics(),
    ]),
    GuardDatabase: inside(
      'guard-database',
      'Fences a database that is not production any more',
      [
        may.readControl(),
        own.recordGuard(),
        may.timeline(),
        may.seeDatabases(),
        fencing(),
        may.keepEvidence(),
        may.putMetrics(),
        ...tell(),
        // What it opens again it confirms first: a recovery that was planned meanwhile comes too late.
        ...(region.fencing.mode === 'strict' ? [own.renewTenure(), may.writeActiveDatabase()] : []),
      ],
      Duration.minutes(4),
    ),
    TriageRegion: outside('triage-region', 'Decides whether the loss of a Region starts a failover', [
      may.timeline(),
      may.readControl(),
      may.seeAlarms(),
      may.seeExecutions(),
      may.startRecovery('region-failover'),
      may.stopDrill(),
      ...tell(),
    ]),
    AcceptFailover: outside('accept-failover', 'Checks a request against what is there; reads only', [
      may.readTimeline(),
      may.readControl(),
      may.seeExecutions(),
      may.seeAlarms(),
      may.seeDatabases(),
    ]),
    AssessRegion: inside(
      'assess-region',
      'Judges primary and standby, and plans the failover',
      [may.timeline(), may.readControl(), may.seeDatabases(), sentinel()],
      patient,
    ),
    FencePrimary: inside(
      'fence-primary',
      'Fences the primary and proves it, where it answers',
      [
        may.timeline(),
        may.readControl(),
        may.writeActiveDatabase(),
        may.seeDatabasesElsewhere(),
        may.seeExecutions(),
        fencing(),
        ...tell(),
        may.tellCustomers(),
      ],
      Duration.minutes(2),
    ),
    EndTenure: outside('end-tenure', 'Ends the primary’s tenure and waits until it has fenced itself', [
      may.timeline(),
      may.readControl(),
      may.seeExecutions(),
      own.endTenure(),
    ]),
    MakeDrillReplica: outside('make-drill-replica', 'Starts a replica of the replica', [
      may.timeline(),
      may.seeDatabases(),
      ...own.makeDrillReplica(),
      may.passMonitoringRole(),
      ...may.useDatabaseKeys(),
    ]),
    AwaitReplica: outside('await-replica', 'Asks whether a replica is available, and gives it its parameters', [
      may.timeline(),
      may.seeDatabases(),
      may.seeDatabaseEvents(),
      ...own.equipReplica(home.network.region),
    ]),
    AwaitCaughtUp: inside('await-caught-up', 'Asks whether the replica has all that its source wrote', [
      may.timeline(),
      may.seeDatabases(),
      may.seeDatabaseEvents(),
      master(),
    ]),
    PromoteReplica: outside('promote-replica', 'Promotes the replica', [
      may.timeline(),
      may.seeDatabases(),
      may.seeExecutions(),
      ...own.promoteReplica(),
    ]),
    AwaitPromoted: inside('await-promoted', 'Asks whether the replica is an instance of its own', [
      may.timeline(),
      may.seeDatabases(),
      may.seeDatabaseEvents(),
      master(),
    ]),
    ScaleStandby: inside('scale-standby', 'Brings the cluster to size', [
      may.timeline(),
      may.findCluster(cluster),
      own.seeNodegroup(),
      own.scaleNodegroup(),
    ]),
    AwaitStandby: inside('await-standby', 'Asks whether the cluster is up', [
      may.timeline(),
      may.findCluster(cluster),
      own.seeNodegroup(),
    ]),
    ShiftTraffic: outside('shift-traffic', 'Shifts traffic to the Region that took over', [
      may.timeline(),
      own.setLatch('traffic', 'drill-traffic'),
      may.putMetrics(),
      ...own.changeRecords(),
      ...tell(),
    ]),
    AwaitTraffic: outside('await-traffic', 'Asks DNS where clients are led', [
      may.timeline(),
      may.readParameters(traffic.nameServersParameter),
      ...own.seeChanges(),
    ]),
    AssessHome: outside(
      'assess-home',
      'Finds what production left here, and plans the way home',
      [may.timeline(), may.readControl(), own.readGuards(), may.seeDatabases(), may.seeDatabasesElsewhere()],
      patient,
    ),
    FenceFormer: inside(
      'fence-former',
      'Proves that what production left here takes no writes',
      [may.timeline(), fencing()],
      Duration.minutes(2),
    ),
    SnapshotFormer: outside('snapshot-former', 'Keeps what production left here', [
      may.timeline(),
      may.seeDatabases(),
      ...may.keepSafetySnapshot(),
    ]),
    AwaitFormerSnapshot: outside('await-former-snapshot', 'Asks whether its snapshot is complete', [
      may.timeline(),
      may.seeDatabases(),
    ]),
    ExportFormer: inside(
      'export-former',
      'Exports the rows that production left here alone',
      [may.timeline(), fencing(), may.keepEvidence()],
      Duration.minutes(10),
    ),
    MakeHomeReplica: outside(
      'make-home-replica',
      'Starts a replica of production here',
      [
        may.timeline(),
        may.seeDatabases(),
        may.seeDatabasesElsewhere(),
        ...own.makeReplica(home.network.region),
        may.passMonitoringRole(),
        ...may.useDatabaseKeys(),
      ],
      patient,
    ),
    AwaitFollowing: inside('await-following', 'Asks whether the replica is close behind', [
      may.timeline(),
      may.seeDatabases(),
      may.seeDatabaseEvents(),
      sentinel(),
    ]),
    MakeNextReplica: outside(
      'make-next-replica',
      'Starts a replica of the new production in the other Region',
      [
        may.timeline(),
        may.seeDatabases(),
        may.seeDatabasesElsewhere(),
        ...own.makeReplica(otherRegion),
        may.passMonitoringRole(),
        ...may.useDatabaseKeys(otherRegion),
      ],
      patient,
    ),
    AwaitNextReplica: outside(
      'await-next-replica',
      'Asks whether that replica follows, and gives it parameters and backups',
      [may.timeline(), may.seeDatabasesElsewhere(), may.seeDatabaseEvents(), ...own.equipReplica(otherRegion)],
      patient,
    ),
    EndDrill: inside('end-drill', 'Puts back what a drill shifted and scaled', [
      may.timeline(),
      may.readControl(),
      own.setLatch('drill-traffic'),
      may.putMetrics(),
      may.findCluster(cluster),
      ...own.changeRecords(),
    ]),
  };
}
