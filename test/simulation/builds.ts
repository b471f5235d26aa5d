/** The cluster of a run whose nodes nobody hears from, and its builds: what one answers, and that the one which rebuilds ends the disaster. */
import type { PlanReport } from '../../core/cluster/contracts.ts';
import type { EksService } from '../../local/services/eks/service.ts';
import type { Site } from './site.ts';

/** As the buildspec of the cluster job ends where nothing differs from Git: Terraform has nothing to change. */
const nothingDiffers: PlanReport = { source: 'read', overlay: 'usable', changes: [], digest: 'none', images: [] };
const outputs: Readonly<Record<string, object>> = { plan: nothingDiffers, rebuild: {} };

/** Cuts every node off, and none can be added; what runs there goes on. A rebuild brings them back, as one brings others. */
export function cutNodesOff(site: Site): void {
  const { region } = site.configuration.primary;
  const { cluster: clusterName } = site.configuration.application.deployment;
  const nodes = (site.cloud.service('eks', region) as EksService).kubernetes(clusterName).nodes();
  const lost = nodes.names();
  nodes.hasCapacity = false;
  for (const name of lost) nodes.disconnect(name);
  modelBuilds(site, () => {
    nodes.hasCapacity = true;
    for (const name of lost) nodes.reconnect(name);
    // Terraform has the group as large as it was.
    const scalingConfig = { desiredSize: lost.length };
    void site.call('eks', 'UpdateNodegroupConfig', { clusterName, nodegroupName: 'general', scalingConfig });
  });
}

function modelBuilds(site: Site, onRebuilt: () => void): void {
  for (const [action, output] of Object.entries(outputs))
    modelBuild(site, action, { output }, () => {
      if (action === 'rebuild') onRebuilt();
      return true;
    });
}

let models = 0;

/** Builds of that action end at once with that outcome, where `applies` says so. */
export function modelBuild(
  { cloud }: Site,
  action: string,
  outcome: object,
  applies: () => boolean = () => true,
): void {
  const id = `modelled:${action}-${++models}`;
  const OUTCOME = { name: 'OUTCOME', value: JSON.stringify(outcome), type: 'PLAINTEXT' };
  const build = { id, buildStatus: 'SUCCEEDED', exportedEnvironmentVariables: [OUTCOME] };
  cloud.faults.inject({
    service: 'codebuild',
    operation: 'StartBuild',
    where: ({ environmentVariablesOverride: variables = [] }: Started) =>
      variables.some(({ name, value }) => name === 'ACTION' && value === action) && applies(),
    effect: { kind: 'answer', output: { build: { id, buildStatus: 'IN_PROGRESS' } } },
  });
  cloud.faults.inject({
    service: 'codebuild',
    operation: 'BatchGetBuilds',
    where: ({ ids = [] }: Asked) => ids.includes(id),
    effect: { kind: 'answer', output: { builds: [build] } },
  });
}

interface Started {
  readonly environmentVariablesOverride?: readonly { readonly name: string; readonly value: string }[];
}
interface Asked {
  readonly ids?: readonly string[];
}
