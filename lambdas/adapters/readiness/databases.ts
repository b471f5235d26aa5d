/** What RDS has of production in both Regions: restore windows, backups, what follows. */
import {
  type DBInstance,
  DescribeDBInstancesCommand,
  paginateDescribeDBInstances,
  RDSClient,
} from '@aws-sdk/client-rds';
import { backupPrefix } from '../../../core/backup/names.ts';
import { ask } from '../../../core/readiness/answer.ts';
import type { ReadinessRun } from '../../../core/readiness/contracts.ts';
import type { FactsOf } from '../../../core/readiness/facts.ts';
import type { Runtime } from '../../handler.ts';
import { automatedBackups } from '../aws/automated-backups.ts';
import { snapshots } from '../aws/backup-snapshots.ts';
import { clientFor } from '../aws/clients.ts';

/** Two days of the daily one, and what somebody made by hand. */
const snapshotsSeen = 6;

export async function lookAtDatabases(
  run: ReadinessRun,
  { settings }: Pick<Runtime, 'settings'>,
): Promise<FactsOf<'databases'>> {
  const { region, activeRegion, database } = run;
  const [active, standby] = await Promise.all([
    ask(`RDS in ${activeRegion}`, async () => ({
      status: (await findInstance(database.identifier, activeRegion))?.DBInstanceStatus ?? null,
      window: (await automatedBackups(activeRegion).replicated(database.resourceId))?.window ?? null,
      snapshots: await newestSnapshots(activeRegion),
    })),
    ask(`RDS in ${region}`, async () => {
      const [replicated, replica] = await Promise.all([
        automatedBackups(region).replicated(database.resourceId),
        findReplica(run, settings.account),
      ]);
      return {
        snapshots: await newestSnapshots(region),
        replicated: replicated ? { status: replicated.status, window: replicated.window ?? null } : null,
        replica: replica
          ? {
              identifier: replica.DBInstanceIdentifier ?? '',
              status: replica.DBInstanceStatus ?? '',
              replication: replicationOf(replica),
              certificateUntil: replica.CertificateDetails?.ValidTill?.toISOString() ?? null,
            }
          : null,
      };
    }),
  ]);
  return { active, standby };
}

async function findInstance(DBInstanceIdentifier: string, region: string): Promise<DBInstance | undefined> {
  try {
    const command = new DescribeDBInstancesCommand({ DBInstanceIdentifier });
    const { DBInstances = [] } = await clientFor(RDSClient, region).send(command);
    return DBInstances[0];
  } catch (error) {
    if (error instanceof Error && /^DBInstanceNotFound/.test(error.name)) return undefined;
    throw error;
  }
}

/** The replica in the Region that looks; of another Region's instance RDS names the source by its ARN. */
export async function findReplica(
  { region, activeRegion, database }: Pick<ReadinessRun, 'region' | 'activeRegion' | 'database'>,
  account: string,
): Promise<DBInstance | undefined> {
  const source = `arn:aws:rds:${activeRegion}:${account}:db:${database.identifier}`;
  const client = clientFor(RDSClient, region);
  for await (const { DBInstances = [] } of paginateDescribeDBInstances({ client }, {})) {
    const found = DBInstances.find((each) => each.ReadReplicaSourceDBInstanceIdentifier === source);
    if (found) return found;
  }
  return undefined;
}

/** `replicating`, `error`, `terminated` … (RDS API: DBInstanceStatusInfo); RDS shows none until replication has begun. */
const replicationOf = ({ StatusInfos = [] }: DBInstance): string =>
  StatusInfos.find(({ StatusType }) => StatusType === 'read replication')?.Status ?? 'unknown';

async function newestSnapshots(region: string) {
  const all = await snapshots(region).list(backupPrefix);
  // Names end in their time.
  const momentOf = (identifier: string) => identifier.slice(-15);
  return all
    .toSorted((a, b) => momentOf(b.identifier).localeCompare(momentOf(a.identifier)))
    .slice(0, snapshotsSeen)
    .map(({ identifier, arn, resourceId, status, encrypted, keyArn, tags }) => ({
      identifier,
      arn,
      status,
      encrypted,
      tags: { ...tags },
      ...(resourceId === undefined ? {} : { resourceId }),
      ...(keyArn === undefined ? {} : { keyArn }),
    }));
}
