/** Destroys what a drill of the cluster left behind, outside its machine: by the build that the machine would have started. */
import { CodeBuildClient, StartBuildCommand } from '@aws-sdk/client-codebuild';
import { whereOf } from '../../../core/cluster/assess-cluster.ts';
import type { TornDown } from '../../../core/incident/clean-up-stopped.ts';
import type { IncidentRecord } from '../../../core/incident/contracts.ts';
import type { Runtime } from '../../handler.ts';
import { describeCluster } from '../kubernetes/clusters.ts';
import { clientFor } from './clients.ts';
import { incidentStore } from './incident-store.ts';

/** Nothing to do where the drill's cluster is not there: its node groups go with it. */
export async function tearDownClusterDrill({ incident }: IncidentRecord, rt: Runtime): Promise<TornDown> {
  const { stateBucket, lockTable, namespace, blueprint } = whereOf('drill', rt.settings, rt.here);
  if ((await describeCluster(blueprint.cluster, rt.here.region)) === undefined)
    return { deleted: false, summary: `there is no ${blueprint.cluster}` };
  const variables = {
    JOB: 'cluster/report-build',
    INPUT: JSON.stringify({ incident, step: 'TearDown', action: 'destroy' }),
    ACTION: 'destroy',
    APPROVED: 'destroyed',
    MANIFESTS: 'git',
    CLUSTER: blueprint.cluster,
    NAMESPACE: namespace,
    STATE_BUCKET: stateBucket,
    STATE_KEY: blueprint.stateKey,
    LOCK_TABLE: lockTable,
    VARIABLES: blueprint.variables,
    OVERLAY: blueprint.overlay,
  };
  // The sweep comes again after 15 minutes; CodeBuild forgets a token after 5.
  const { build } = await clientFor(CodeBuildClient, rt.here.region).send(
    new StartBuildCommand({
      projectName: `stocker-dr-${rt.settings.environment}-cluster-drill-job`,
      idempotencyToken: `${incident.id}-sweep`,
      environmentVariablesOverride: Object.entries(variables).map(([name, value]) => ({
        name,
        value,
        type: 'PLAINTEXT',
      })),
    }),
  );
  return { deleted: true, summary: `${blueprint.cluster} is being destroyed by build ${build?.id}` };
}

/** How far back the drill of a cluster that is there is looked for. */
const recentIncidents = 25;

/** The cluster of a drill bears no incident's tag: there is one at a time, and it is the newest drill's. */
export async function ownersOfClusterDrills(rt: Runtime): Promise<string[]> {
  if ((await describeCluster(rt.settings.cluster.drill.cluster, rt.here.region)) === undefined) return [];
  const recent = await incidentStore(rt).list(recentIncidents);
  const drill = recent.find(({ incident }) => incident.scenario === 'cluster' && incident.mode === 'drill');
  return drill ? [drill.incident.id] : [];
}
