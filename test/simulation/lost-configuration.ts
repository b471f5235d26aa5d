/** Configuration that somebody deleted: a zone and its recording, a record that goes, and the builds that compare with Git. */
import type { PlanReport } from '../../core/cluster/contracts.ts';
import { modelBuild } from './builds.ts';
import type { Site } from './site.ts';

const nothingDiffers: PlanReport = {
  source: 'read',
  overlay: 'usable',
  changes: [],
  digest: 'none',
  images: [],
  differences: [],
};

/**
 * The zone is made and recorded; then a record of production and, for Git to bring back, a deployment are gone. In a drill
 * there is a cluster without pods: it loses and finds what is its own, and its application never answers.
 */
export async function loseConfiguration(site: Site, mode: 'recovery' | 'drill'): Promise<void> {
  const { hostedZoneName: Name, recordName, ttlSeconds: TTL } = site.configuration.traffic;
  const zone = await site.call<{ HostedZone: { Id: string } }>(
    'route-53',
    'CreateHostedZone',
    { Name, CallerReference: 'terraform' },
    'us-east-1',
  );
  const change = (Action: 'CREATE' | 'DELETE') => {
    const set = { Name: recordName, Type: 'A', TTL, ResourceRecords: [{ Value: '10.0.0.1' }] };
    const ChangeBatch = { Changes: [{ Action, ResourceRecordSet: set }] };
    return site.call(
      'route-53',
      'ChangeResourceRecordSets',
      { HostedZoneId: zone.HostedZone.Id, ChangeBatch },
      'us-east-1',
    );
  };
  let isApplied = mode === 'recovery';
  const isFound = () => isApplied;
  modelBuild(
    site,
    'find',
    { output: { ...nothingDiffers, differences: ['deployment/stocker-api'] } },
    () => !isFound(),
  );
  modelBuild(site, 'find', { output: nothingDiffers }, isFound);
  for (const action of ['rehearse', 'destroy']) modelBuild(site, action, { output: {} });
  modelBuild(site, 'rebuild', { output: {} }, () => {
    isApplied = true;
    return true;
  });
  await change('CREATE');
  await site.invoke('configuration/watch-configuration', {});
  await site.sleep(60_000);
  if (mode === 'drill') return makeDrillCluster(site);
  isApplied = false;
  await change('DELETE');
}

async function makeDrillCluster(site: Site): Promise<void> {
  const { account, primary, cluster } = site.configuration;
  const roleArn = `arn:aws:iam::${account}:role/${cluster.primary.cluster}-cluster`;
  const resourcesVpcConfig = { subnetIds: [...primary.privateSubnetIds] };
  const accessConfig = { authenticationMode: 'API', bootstrapClusterCreatorAdminPermissions: true };
  await site.call('eks', 'CreateCluster', { name: cluster.drill.cluster, roleArn, resourcesVpcConfig, accessConfig });
  await site.sleep(20 * 60_000); // until it is active
}
