/** RDS's manual snapshots of one Region, as the backup makes, copies and deletes them. */
import {
  CopyDBSnapshotCommand,
  CreateDBSnapshotCommand,
  type DBSnapshot,
  DeleteDBSnapshotCommand,
  DescribeDBSnapshotsCommand,
  paginateDescribeDBSnapshots,
  RDSClient,
} from '@aws-sdk/client-rds';
import { CopiesInFlight, SnapshotQuotaReached, SnapshotUnderWay } from '../../../core/backup/errors.ts';
import type { BackupSnapshot, Snapshots } from '../../../core/backup/ports.ts';
import { clientFor } from './clients.ts';

const isNamed = (error: unknown, ...names: readonly string[]) => error instanceof Error && names.includes(error.name);
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

export function snapshots(region: string): Snapshots {
  const client = clientFor(RDSClient, region);
  return {
    async list(prefix) {
      const found: BackupSnapshot[] = [];
      for await (const { DBSnapshots = [] } of paginateDescribeDBSnapshots({ client }, { SnapshotType: 'manual' }))
        found.push(...DBSnapshots.map(toSnapshot));
      return found.filter(({ identifier }) => identifier.startsWith(prefix));
    },

    async find(identifier) {
      try {
        const { DBSnapshots = [] } = await client.send(
          new DescribeDBSnapshotsCommand({ DBSnapshotIdentifier: identifier }),
        );
        return DBSnapshots[0] && toSnapshot(DBSnapshots[0]);
      } catch (error) {
        if (isNamed(error, 'DBSnapshotNotFoundFault', 'DBSnapshotNotFound')) return undefined;
        throw error;
      }
    },

    take: ({ identifier, instanceIdentifier, tags }) =>
      make(
        client.send(
          new CreateDBSnapshotCommand({
            DBSnapshotIdentifier: identifier,
            DBInstanceIdentifier: instanceIdentifier,
            Tags: toTags(tags),
          }),
        ),
        `${identifier} of ${instanceIdentifier}`,
        region,
      ),

    // The SDK signs the call to the source's Region that goes with it, as the source is an ARN of another Region.
    copy: ({ identifier, sourceArn, keyArn, tags }) =>
      make(
        client.send(
          new CopyDBSnapshotCommand({
            SourceDBSnapshotIdentifier: sourceArn,
            TargetDBSnapshotIdentifier: identifier,
            KmsKeyId: keyArn,
            Tags: toTags(tags),
          }),
        ),
        `The copy of ${sourceArn}`,
        region,
      ),

    async delete(identifier) {
      try {
        await client.send(new DeleteDBSnapshotCommand({ DBSnapshotIdentifier: identifier }));
        return 'deleting';
      } catch (error) {
        if (isNamed(error, 'DBSnapshotNotFoundFault', 'DBSnapshotNotFound')) return 'gone';
        throw error;
      }
    },

    async keyOf(alias) {
      // Its client is large and asked for one thing.
      const { keyOfAlias } = await import('./keys.ts');
      return keyOfAlias(alias, region);
    },
  };
}

/** No client token: a retry of the SDK can meet what its own first call made. */
async function make(sent: Promise<unknown>, what: string, region: string): Promise<'started' | 'exists'> {
  try {
    await sent;
    return 'started';
  } catch (error) {
    const cause = messageOf(error);
    if (isNamed(error, 'DBSnapshotAlreadyExistsFault', 'DBSnapshotAlreadyExists')) return 'exists';
    if (isNamed(error, 'InvalidDBInstanceStateFault', 'InvalidDBInstanceState', 'InvalidDBSnapshotStateFault'))
      throw SnapshotUnderWay(`${what} cannot be made yet: ${cause}`, { cause: error });
    if (isNamed(error, 'SnapshotQuotaExceededFault', 'SnapshotQuotaExceeded')) {
      // One name for two limits, 100 manual snapshots and 20 copies that run at once; which of them, the message alone says.
      if (/in.progress|in.flight|cross.region/i.test(cause))
        throw CopiesInFlight(`${what} has to wait in ${region}: ${cause}`, { cause: error });
      throw SnapshotQuotaReached(`${what} has no room in ${region}: ${cause}`, { cause: error });
    }
    throw error;
  }
}

const toTags = (tags: Readonly<Record<string, string>>) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

const toSnapshot = (snapshot: DBSnapshot): BackupSnapshot => ({
  identifier: snapshot.DBSnapshotIdentifier ?? '',
  arn: snapshot.DBSnapshotArn ?? '',
  resourceId: snapshot.DbiResourceId,
  status: snapshot.Status ?? '',
  encrypted: snapshot.Encrypted ?? false,
  keyArn: snapshot.KmsKeyId,
  tags: Object.fromEntries((snapshot.TagList ?? []).map(({ Key, Value }) => [Key ?? '', Value ?? ''])),
});
