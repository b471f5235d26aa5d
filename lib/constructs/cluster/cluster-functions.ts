import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Permissions } from '../permissions.ts';
import { type FunctionHome, makersOf } from '../recovery-function.ts';
import type { ClusterPermissions } from './cluster-permissions.ts';

/** The steps of cluster-recovery, and what keeps watch over production's cluster. */
export function clusterFunctions(
  scope: Construct,
  home: FunctionHome,
  may: Permissions,
  mayAlso: ClusterPermissions,
  keyArn: string,
) {
  const { database, application } = home.configuration;
  const { outside, inside } = makersOf(scope, home, 'cluster');
  const look = () => mayAlso.seeClusters();
  return {
    AcceptRequest: outside('accept-recovery', 'Checks a request against what is there; reads only', [
      may.readTimeline(),
      may.readControl(),
      may.seeExecutions(),
      may.seeAlarms(),
    ]),
    AssessCluster: inside('assess-cluster', 'Decides node-level or cluster-level, with reasons', [
      may.timeline(),
      ...look(),
      ...mayAlso.assumeDrillRole(),
    ]),
    AwaitCluster: inside('await-cluster', 'Asks whether nodes, deployments and images are as they should be', [
      may.timeline(),
      ...look(),
      ...mayAlso.assumeDrillRole(),
      may.seeImages(),
    ]),
    HelpNodes: inside('help-nodes', 'Gives node groups more nodes, within their limits', [
      may.timeline(),
      ...look(),
      mayAlso.scaleNodes(),
    ]),
    JudgeRebuild: outside('judge-rebuild', 'Judges what Terraform would do, and where manifests come from', [
      may.timeline(),
      mayAlso.findExports(),
    ]),
    RequestApproval: outside('request-approval', 'Asks a named person to approve the rebuild', [
      may.timeline(),
      may.readControl(),
      may.askApproval(),
      may.announce(),
      may.useTopicKey(keyArn),
    ]),
    RestoreAccess: outside('restore-access', 'Lets the recovery’s functions into a cluster', [
      may.timeline(),
      mayAlso.admitRoles(),
    ]),
    ValidateApplication: inside(
      'validate-application',
      'Proves that the application does its job on the cluster',
      [
        may.timeline(),
        may.readControl(),
        may.readParameters(application.urlParameter),
        may.readSecrets(database.sentinelRole.secretName),
        ...look(),
        ...mayAlso.assumeDrillRole(),
      ],
      Duration.minutes(2),
    ),
    WatchCluster: inside('watch-cluster', 'Says whether production’s cluster, nodes and workloads are there', [
      may.readControl(),
      may.putMetrics(),
      ...look(),
    ]),
  };
}
