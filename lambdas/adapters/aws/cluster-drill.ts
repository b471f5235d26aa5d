/** Destroys what a drill by builds left behind, outside its machine: by the build that the machine would have started. */
import { variablesOf, whereOf } from '../../../core/cluster/assess-cluster.ts';
import type { TornDown } from '../../../core/incident/clean-up-stopped.ts';
import type { IncidentRecord } from '../../../core/incident/contracts.ts';
import type { Runtime } from '../../handler.ts';
import { describeCluster } from '../kubernetes/clusters.ts';
import { builds } from './builds.ts';
import { identityOf } from './identity.ts';
import { incidentStore } from './incident-store.ts';

/** Whether a scenario is drilled on the cluster that builds make beside production. */
export const isDrilledByBuilds = (scenario: IncidentRecord['incident']['scenario']): boolean =>
  scenario === 'cluster' || scenario === 'configuration';

/** A drill of configuration has a secret and a record as well. */
export async function tearDownBuildDrill(record: IncidentRecord, rt: Runtime): Promise<TornDown> {
  if (record.incident.scenario === 'configuration') {
    const { removeDrill } = await import('../../../core/configuration/drill.ts');
    const { hostedZones } = await import('./hosted-zones.ts');
    const { protectedSecrets } = await import('./protected-secrets.ts');
    await removeDrill({ ...rt, zones: hostedZones(), secrets: protectedSecrets(rt) });
  }
  return tearDownClusterDrill(record, rt);
}

/** Nothing to do where the drill's cluster is not there: its node groups go with it. */
async function tearDownClusterDrill({ incident }: IncidentRecord, rt: Runtime): Promise<TornDown> {
  const where = whereOf('drill', rt.settings, rt.here);
  const { blueprint } = where;
  const as = await identityOf(incident, rt)();
  if ((await describeCluster(blueprint.cluster, rt.here.region, as)) === undefined)
    return { deleted: false, summary: `there is no ${blueprint.cluster}` };
  const variables = {
    JOB: 'cluster/report-build',
    INPUT: JSON.stringify({ incident, step: 'TearDown', action: 'destroy' }),
    ACTION: 'destroy',
    APPROVED: 'destroyed',
    MANIFESTS: 'git',
    ...variablesOf(where),
  };
  // The sweep comes again after 15 minutes; CodeBuild forgets a token after 5.
  const project = `stocker-dr-${rt.settings.environment}-cluster-drill-job`;
  const build = await builds(rt).start(project, `${incident.id}-sweep`, variables);
  return { deleted: true, summary: `${blueprint.cluster} is being destroyed by build ${build}` };
}

/** How far back the drill of a cluster that is there is looked for. */
const recentIncidents = 25;

/** The cluster of a drill bears no incident's tag: there is one at a time, and it is the newest drill's. */
export async function ownersOfClusterDrills(rt: Runtime): Promise<string[]> {
  const as = await identityOf({ id: 'drill-sweep', mode: 'drill' }, rt)().catch((error: Error) => {
    if (error.name !== 'DrillAccountRefused') throw error;
    // What is to be swept in production's account does not wait for that.
    rt.logger.error('Whether a drill has left its cluster in its own account is not known', error);
    return 'refused' as const;
  });
  if (as === 'refused') return [];
  if ((await describeCluster(rt.settings.cluster.drill.cluster, rt.here.region, as)) === undefined) return [];
  const recent = await incidentStore(rt).list(recentIncidents);
  const drill = recent.find(({ incident }) => isDrilledByBuilds(incident.scenario) && incident.mode === 'drill');
  return drill ? [drill.incident.id] : [];
}
