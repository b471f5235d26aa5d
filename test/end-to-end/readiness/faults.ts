/** What makes an installation not ready: one thing each, the check that must see it, and what mends it. */
import type { ResourceRecordSet } from '@aws-sdk/client-route-53';
import { confirmSubscriptions } from '../../../cli/installation.ts';
import { kubernetesGroup } from '../../../config/names.ts';
import type { QuotasService } from '../../../local/services/service-quotas/index.ts';
import { call, dr, image, imageIds, putTerraformState, repositoryName, site, terraformState } from './site.ts';

interface Fault {
  readonly check: string;
  readonly fault: string;
  break(): Promise<unknown>;
  mend(): Promise<unknown>;
  readonly input?: object;
}
const topicKey = { KeyId: 'alias/stocker-dr-production' };
const keyId = async () => ({ KeyId: (await call('kms', 'DescribeKey', topicKey)).KeyMetadata.KeyId });
const secret = { SecretId: 'stocker-pro/production/database/stocker-app' };
const internalTopic = () => {
  const { account } = site.installation.configuration;
  return `arn:aws:sns:${dr}:${account}:${site.names.internalTopic}`;
};
export const quotas = () => site.installation.cloud.service('service-quotas', dr) as QuotasService;
const roleOf = async (path: string) => {
  const { Role } = await call('lambda', 'GetFunctionConfiguration', { FunctionName: site.names.lambda(path) });
  return { RoleName: String(Role).split('/').at(-1) };
};
const deny = {
  PolicyName: 'Lockdown',
  PolicyDocument: JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Deny', Action: 'rds:RestoreDBInstanceToPointInTime', Resource: '*' }],
  }),
};
const accessEntry = async () => {
  const { Role } = await call('lambda', 'GetFunctionConfiguration', {
    FunctionName: site.names.lambda('readiness/look-at-cluster'),
  });
  const { cluster } = site.installation.configuration.application.deployment;
  return { clusterName: cluster, principalArn: Role };
};

let recordOfClients: ResourceRecordSet | undefined;
/** Gives the primary's record of clients another shape, or its own again. */
async function changeRecord(change: Partial<ResourceRecordSet>) {
  const { hostedZoneId: HostedZoneId } = site.installation.traffic;
  const { ResourceRecordSets } = await call('route-53', 'ListResourceRecordSets', { HostedZoneId });
  const { recordName } = site.installation.configuration.traffic;
  recordOfClients ??= (ResourceRecordSets as ResourceRecordSet[]).find(
    ({ Name, Failover }) => Name === `${recordName}.` && Failover === 'PRIMARY',
  );
  const Changes = [{ Action: 'UPSERT', ResourceRecordSet: { ...recordOfClients, ...change } }];
  await call('route-53', 'ChangeResourceRecordSets', { HostedZoneId, ChangeBatch: { Changes } });
}

export const faults: readonly Fault[] = [
  {
    check: 'keys-standby',
    fault: 'a key is disabled',
    break: async () => call('kms', 'DisableKey', await keyId()),
    mend: async () => call('kms', 'EnableKey', await keyId()),
  },
  {
    check: 'images',
    fault: 'an image is deleted',
    break: () => call('ecr', 'BatchDeleteImage', { repositoryName, imageIds }),
    mend: () => call('ecr', 'PutImage', image()),
  },
  {
    check: 'subscriptions-standby',
    fault: 'a subscription waits to be confirmed',
    break: () =>
      call('sns', 'Subscribe', { TopicArn: internalTopic(), Protocol: 'email', Endpoint: 'new@example.com' }),
    mend: () => confirmSubscriptions(site.installation.cloud),
  },
  {
    check: 'quotas-standby',
    fault: 'a quota is lowered',
    break: async () => quotas().set('rds', 'L-7B6409FD', 2),
    mend: async () => quotas().set('rds', 'L-7B6409FD', 40),
  },
  {
    check: 'terraform-state',
    fault: 'a state is deleted',
    break: () => call('s3', 'DeleteObject', terraformState()),
    mend: putTerraformState,
  },
  {
    check: 'secrets-standby',
    fault: 'a secret is replicated no more',
    break: () =>
      call('secrets-manager', 'RemoveRegionsFromReplication', { ...secret, RemoveReplicaRegions: [dr] }, site.region),
    mend: () =>
      call(
        'secrets-manager',
        'ReplicateSecretToRegions',
        { ...secret, AddReplicaRegions: [{ Region: dr }] },
        site.region,
      ),
  },
  {
    check: 'permissions',
    fault: 'a role may no longer restore',
    break: async () => call('iam', 'PutRolePolicy', { ...(await roleOf('database/restore-database')), ...deny }),
    mend: async () =>
      call('iam', 'DeleteRolePolicy', {
        ...(await roleOf('database/restore-database')),
        PolicyName: deny.PolicyName,
      }),
    input: { permissions: 'now' },
  },
  {
    check: 'dns',
    fault: 'the record of clients follows its latch no more',
    break: () => changeRecord({ HealthCheckId: undefined }),
    mend: () => changeRecord({}),
  },
  {
    check: 'cluster-access',
    fault: 'an access entry is deleted',
    break: async () => call('eks', 'DeleteAccessEntry', await accessEntry()),
    mend: async () =>
      call('eks', 'CreateAccessEntry', { ...(await accessEntry()), kubernetesGroups: [kubernetesGroup] }),
  },
];
