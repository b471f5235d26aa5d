/** Somebody deletes what production is found by, signs in with or runs as: with credentials that are good, and the usual tools. */
import {
  ChangeResourceRecordSetsCommand,
  ListHostedZonesByNameCommand,
  ListResourceRecordSetsCommand,
  Route53Client,
} from '@aws-sdk/client-route-53';
import {
  DeleteSecretCommand,
  DescribeSecretCommand,
  RemoveRegionsFromReplicationCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { Disaster, Victim } from './disaster.ts';

/** The shortest that Secrets Manager has. */
const recoveryDays = 7;

function reached(configuration: Victim['configuration']): NonNullable<Victim['configuration']> {
  if (configuration === undefined) throw new Error('Nobody here can reach the configuration');
  return configuration;
}

export const recordDeleted: Disaster = {
  title: 'the DNS record of production is deleted',
  loses: 'configuration',
  async strike({ configuration }) {
    const { connection, zone, record } = reached(configuration);
    const route53 = new Route53Client({ ...connection, region: 'us-east-1' });
    const { HostedZones = [] } = await route53.send(new ListHostedZonesByNameCommand({ DNSName: zone, MaxItems: 1 }));
    const HostedZoneId = HostedZones.find(({ Name }) => Name === `${zone}.`)?.Id;
    if (HostedZoneId === undefined) throw new Error(`There is no zone ${zone}`);
    const listed = await route53.send(new ListResourceRecordSetsCommand({ HostedZoneId, StartRecordName: record }));
    const sets = (listed.ResourceRecordSets ?? []).filter(({ Name }) => Name === `${record}.`);
    if (sets.length === 0) throw new Error(`${zone} has no record ${record}`);
    const Changes = sets.map((ResourceRecordSet) => ({ Action: 'DELETE' as const, ResourceRecordSet }));
    await route53.send(new ChangeResourceRecordSetsCommand({ HostedZoneId, ChangeBatch: { Changes } }));
    const told = sets.map(({ Type, SetIdentifier }) => [Type, SetIdentifier].filter(Boolean).join(' '));
    return `ChangeResourceRecordSets: DELETE of ${record} (${told.join(', ')})`;
  },
};

export const secretDeleted: Disaster = {
  title: 'the secret that the application signs in with is deleted',
  loses: 'configuration',
  async strike({ configuration }) {
    const { connection, region, secret: SecretId } = reached(configuration);
    const secrets = new SecretsManagerClient({ ...connection, region });
    const { ReplicationStatus = [] } = await secrets.send(new DescribeSecretCommand({ SecretId }));
    const replicas = ReplicationStatus.flatMap(({ Region }) => Region ?? []);
    // Secrets Manager deletes no secret that has replicas.
    if (replicas.length > 0)
      await secrets.send(new RemoveRegionsFromReplicationCommand({ SecretId, RemoveReplicaRegions: replicas }));
    await secrets.send(new DeleteSecretCommand({ SecretId, RecoveryWindowInDays: recoveryDays }));
    const first = replicas.length > 0 ? `RemoveRegionsFromReplication (${replicas.join(', ')}), then ` : '';
    return `${first}DeleteSecret of ${SecretId} with ${recoveryDays} days to take it back`;
  },
};

/** Its pods go on, and nobody reaches them: who watches nodes and deployments sees nothing. */
export const workloadDeleted: Disaster = {
  title: 'the Service of the application is deleted from its namespace',
  loses: 'configuration',
  async strike({ configuration }) {
    const { service, kubectl } = reached(configuration);
    const argv = ['delete', 'service', service.name, '--namespace', service.namespace];
    await kubectl(argv);
    return `kubectl ${argv.join(' ')}`;
  },
};
