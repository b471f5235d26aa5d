/** STOCKER Pro's deployments in both Regions: the primary's run, the DR Region's are a pilot light without pods. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kubernetesGroup } from '../config/names.ts';
import type { Configuration } from '../config/schema.ts';
import type { Cloud } from '../local/cloud.ts';
import type { EksService } from '../local/services/eks/service.ts';
import { imageIn } from '../workload/infrastructure/deployment.ts';
import { type Installed, writeParameters } from '../workload/infrastructure/provision.ts';
import {
  deploymentManifest,
  namespaceManifest,
  recoveryAccessManifests,
  serviceManifest,
} from '../workload/kubernetes/manifests.ts';
import type { OperatorConnection } from './clients.ts';

export interface ApplicationUrls {
  /** Base URL of the STOCKER API in the primary Region. */
  readonly apiUrl: string;
  /** In the DR Region; nobody answers there before a failover. */
  readonly standbyUrl: string;
  /** Base URLs of the canary, by Region. */
  readonly canaryUrls: Readonly<Record<string, string>>;
}

/** Applies the manifests in both Regions and writes the parameters that deployments and the recovery read. */
export async function startApplications(
  configuration: Configuration,
  cloud: Cloud,
  connection: OperatorConnection,
  database: Pick<Installed, 'address' | 'port'>,
): Promise<ApplicationUrls> {
  const { primary, dr, application, canary, region } = configuration;
  const authorityFile = join(cloud.dataDirectory, 'database-ca.pem');
  writeFileSync(authorityFile, cloud.certificateAuthority);
  await writeParameters(primary.region, connection, {
    [application.databaseEndpointParameter]: JSON.stringify({ address: database.address, port: database.port }),
    [canary.databaseEndpointParameter]: 'none',
  });
  await writeParameters(dr.region, connection, {
    [application.databaseEndpointParameter]: 'none',
    [canary.databaseEndpointParameter]: 'none',
  });
  const [here, there] = await Promise.all([
    deployIn(primary.region, 1, { configuration, cloud, authorityFile }),
    deployIn(dr.region, 0, { configuration, cloud, authorityFile }),
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

interface Deployed {
  readonly application: string;
  readonly canary: string;
}

interface Site {
  readonly configuration: Configuration;
  readonly cloud: Cloud;
  readonly authorityFile: string;
}

async function deployIn(
  region: string,
  replicas: number,
  { configuration, cloud, authorityFile }: Site,
): Promise<Deployed> {
  const { application, canary, account, database } = configuration;
  const { cluster, namespace } = application.deployment;
  const kubernetes = (cloud.service('eks', region) as EksService).kubernetes(cluster);
  await kubernetes.apply(namespaceManifest(namespace));
  for (const manifest of recoveryAccessManifests(namespace, kubernetesGroup)) await kubernetes.apply(manifest);
  const deploy = async (target: Configuration['application']) => {
    const environment = {
      DATABASE_ENDPOINT_PARAMETER: target.databaseEndpointParameter,
      DATABASE_SECRET: database.applicationRoles[0]?.secretName ?? '',
      DATABASE_NAME: database.name,
      DATABASE_CA_FILE: authorityFile,
    };
    const { name } = target.deployment;
    const image = imageIn(account, region);
    await kubernetes.apply(deploymentManifest({ namespace, name, replicas, image, environment }));
    await kubernetes.apply(serviceManifest({ namespace, name }));
    return kubernetes.address(namespace, name, { empty: replicas === 0 });
  };
  const [applicationUrl, canaryUrl] = await Promise.all([deploy(application), deploy(canary)]);
  return { application: applicationUrl, canary: canaryUrl };
}
