/** STOCKER Pro as its pipeline deploys it in both Regions: the primary's runs, the DR Region's is a pilot light without pods. */
import { join } from 'node:path';
import type { Configuration } from '../config/schema.ts';
import type { Cloud } from '../local/cloud.ts';
import type { EksService } from '../local/services/eks/service.ts';
import { buildOverlay, type KubernetesManifest } from '../local/tools/kustomize.ts';
import {
  type InstallationPlan,
  type Installed,
  keepState,
  writeParameters,
} from '../workload/infrastructure/provision.ts';
import { desiredStates, makeRepository, type Repository } from '../workload/infrastructure/repository.ts';
import type { OperatorConnection } from './clients.ts';

export interface ApplicationUrls {
  /** Base URL of the STOCKER API in the primary Region. */
  readonly apiUrl: string;
  /** In the DR Region; nobody answers there before a failover. */
  readonly standbyUrl: string;
  /** Base URLs of the canary, by Region. */
  readonly canaryUrls: Readonly<Record<string, string>>;
}

interface Site {
  readonly configuration: Configuration;
  /** What Terraform is told of it. */
  readonly plan: InstallationPlan;
  readonly cloud: Cloud;
  readonly connection: OperatorConnection;
}

/** Deploys from Git in both Regions and writes the parameters that deployments and the recovery read. */
export async function startApplications(
  site: Site,
  database: Pick<Installed, 'address' | 'port'>,
): Promise<ApplicationUrls> {
  const { configuration, connection } = site;
  const { primary, dr, application, canary, region, cluster } = configuration;
  await writeParameters(primary.region, connection, {
    [application.databaseEndpointParameter]: JSON.stringify({ address: database.address, port: database.port }),
    [canary.databaseEndpointParameter]: 'none',
  });
  await writeParameters(dr.region, connection, {
    [application.databaseEndpointParameter]: 'none',
    [canary.databaseEndpointParameter]: 'none',
  });
  const { directory } = await keepRepository(site);
  const [here, there] = await Promise.all([
    deployIn(site, primary.region, buildOverlay(join(directory, cluster.primary.overlay))),
    deployIn(site, dr.region, buildOverlay(join(directory, cluster.dr.overlay)).map(withoutPods), { empty: true }),
  ]);
  const parametersOf = (own: Deployed, peer: Deployed) => ({
    [application.urlParameter]: own.application,
    [canary.urlParameter]: own.canary,
    [region.peerUrlParameter]: peer.application,
  });
  await writeParameters(primary.region, connection, parametersOf(here, there));
  await writeParameters(dr.region, connection, parametersOf(there, here));
  return {
    apiUrl: here.application,
    standbyUrl: there.application,
    canaryUrls: { [primary.region]: here.canary, [dr.region]: there.canary },
  };
}

/** Where the pipeline deploys from: the repository at the commit that is deployed, and the states that Terraform has of it. */
async function keepRepository({ configuration, plan, cloud, connection }: Site): Promise<Repository> {
  const { environment, primary, dr, cluster, backup } = configuration;
  const states = desiredStates(plan, environment);
  const repository = makeRepository(join(cloud.dataDirectory, 'repository'), states);
  for (const { region, terraformStateBucket, key } of [
    { ...primary, key: cluster.primary },
    { ...dr, key: cluster.dr },
  ]) {
    await writeParameters(region, connection, {
      [cluster.repositoryParameter]: repository.url,
      [backup.commitParameter]: repository.commit,
    });
    const name = key.variables.replace('.tfvars', '');
    await keepState(region, terraformStateBucket, key.stateKey, states[name]?.resources ?? [], connection);
  }
  return repository;
}

/** As the pipeline leaves a deployment where nothing is served: the failover brings it to size. */
const withoutPods = (manifest: KubernetesManifest): KubernetesManifest =>
  manifest.kind === 'Deployment' ? { ...manifest, spec: { ...manifest.spec, replicas: 0 } } : manifest;

interface Deployed {
  readonly application: string;
  readonly canary: string;
}

async function deployIn(
  { configuration: { application, canary }, cloud }: Site,
  region: string,
  manifests: readonly KubernetesManifest[],
  options = { empty: false },
): Promise<Deployed> {
  const { cluster, namespace } = application.deployment;
  const kubernetes = (cloud.service('eks', region) as EksService).kubernetes(cluster);
  for (const manifest of manifests) await kubernetes.apply(manifest);
  const [applicationUrl, canaryUrl] = await Promise.all([
    kubernetes.address(namespace, application.deployment.name, options),
    kubernetes.address(namespace, canary.deployment.name, options),
  ]);
  return { application: applicationUrl, canary: canaryUrl };
}
