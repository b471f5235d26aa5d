/** How much of what a recovery makes the account may still have, in both Regions. */
import { paginateDescribeDBInstances, paginateDescribeDBSnapshots, RDSClient } from '@aws-sdk/client-rds';
import { GetServiceQuotaCommand, ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { ask } from '../../../core/readiness/answer.ts';
import type { ReadinessRun } from '../../../core/readiness/contracts.ts';
import type { FactsOf } from '../../../core/readiness/facts.ts';
import { clientFor } from '../aws/clients.ts';

/** The copy that becomes production, and the one that validates it in depth afterwards. */
const instancesMade = 2;
/** The safety snapshot, and a backup of the new production. */
const snapshotsMade = 2;
/** One gateway for each of the two zones of a network that Terraform makes. */
const addressesMade = 2;

export async function lookAtQuotas({ region, activeRegion, database }: ReadinessRun): Promise<FactsOf<'quotas'>> {
  const quotasIn = (where: string) =>
    ask(`Service Quotas, RDS or EC2 in ${where}`, () => roomIn(where, database.identifier));
  const [active, standby] = await Promise.all([quotasIn(activeRegion), quotasIn(region)]);
  return { active, standby };
}

async function roomIn(region: string, identifier: string) {
  // EC2's client is the largest of all, asked for one thing.
  const { addressesIn } = await import('./addresses.ts');
  const [usage, addresses] = await Promise.all([databaseUsage(region, identifier), addressesIn(region)]);
  const quota = async (service: string, code: string, name: string, used: number, needed: number) => ({
    quota: name,
    limit: await limitOf(service, code, region),
    used,
    needed,
  });
  return Promise.all([
    quota('rds', 'L-7B6409FD', 'DB instances', usage.instances, instancesMade),
    quota('rds', 'L-272F1212', 'manual DB snapshots', usage.snapshots, snapshotsMade),
    quota('rds', 'L-7ADDB58A', 'GiB of DB storage', usage.storage, instancesMade * usage.largest),
    quota('ec2', 'L-0263D0A3', 'Elastic IP addresses', addresses, addressesMade),
  ]);
}

async function limitOf(ServiceCode: string, QuotaCode: string, region: string): Promise<number> {
  const command = new GetServiceQuotaCommand({ ServiceCode, QuotaCode });
  const { Quota } = await clientFor(ServiceQuotasClient, region).send(command);
  if (Quota?.Value === undefined) throw new Error(`Service Quotas tells no value of ${ServiceCode} ${QuotaCode}`);
  return Quota.Value;
}

/** `largest`: what a copy of production takes, by what is here of it: itself, a replica or a backup. */
async function databaseUsage(region: string, identifier: string) {
  const client = clientFor(RDSClient, region);
  const usage = { instances: 0, snapshots: 0, storage: 0, largest: 0 };
  const isOurs = (name = '') => name.includes(identifier);
  const see = (size = 0, name = '') => {
    if (isOurs(name)) usage.largest = Math.max(usage.largest, size);
  };
  for await (const { DBInstances = [] } of paginateDescribeDBInstances({ client }, {}))
    for (const { AllocatedStorage = 0, DBInstanceIdentifier, ReadReplicaSourceDBInstanceIdentifier } of DBInstances) {
      usage.instances += 1;
      usage.storage += AllocatedStorage;
      see(AllocatedStorage, `${DBInstanceIdentifier} ${ReadReplicaSourceDBInstanceIdentifier}`);
    }
  for await (const { DBSnapshots = [] } of paginateDescribeDBSnapshots({ client }, { SnapshotType: 'manual' }))
    for (const { AllocatedStorage, DBInstanceIdentifier } of DBSnapshots) {
      usage.snapshots += 1;
      see(AllocatedStorage, DBInstanceIdentifier);
    }
  return usage;
}
