/** Read replicas of one Region. */
import {
  AddTagsToResourceCommand,
  CreateDBInstanceReadReplicaCommand,
  ModifyDBInstanceCommand,
  PromoteReadReplicaCommand,
  paginateDescribeDBInstances,
  RDSClient,
} from '@aws-sdk/client-rds';
import { DatabaseNotReady } from '../../../core/database/errors.ts';
import type { Replicas } from '../../../core/region/ports.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from './clients.ts';
import { toInstance } from './rds.ts';
import { provisionedStorage } from './rds-restore.ts';

const isNamed = (error: unknown, ...names: readonly string[]) => error instanceof Error && names.includes(error.name);
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

export function replicas({ settings }: Pick<Runtime, 'settings'>, region: string): Replicas {
  const client = clientFor(RDSClient, region);
  return {
    async of(source) {
      const wanted =
        source.region === region
          ? source.identifier
          : `arn:aws:rds:${source.region}:${settings.account}:db:${source.identifier}`;
      for await (const { DBInstances = [] } of paginateDescribeDBInstances({ client }, {})) {
        const found = DBInstances.find((each) => each.ReadReplicaSourceDBInstanceIdentifier === wanted);
        if (found) return toInstance(found, region);
      }
      return undefined;
    },
    async create({ identifier, source, subnetGroup, parameterGroup, securityGroupIds, keyId, like, tags }) {
      const { logExports, copyTagsToSnapshot, certificateAuthority, autoMinorVersionUpgrade } = like.settings;
      try {
        await client.send(
          new CreateDBInstanceReadReplicaCommand({
            DBInstanceIdentifier: identifier,
            SourceDBInstanceIdentifier: source,
            DBSubnetGroupName: subnetGroup,
            DBParameterGroupName: parameterGroup,
            VpcSecurityGroupIds: [...securityGroupIds],
            DBInstanceClass: String(like.settings.instanceClass),
            StorageType: String(like.settings.storageType),
            ...provisionedStorage(like.settings),
            MultiAZ: false,
            PubliclyAccessible: false,
            AutoMinorVersionUpgrade: autoMinorVersionUpgrade === true,
            CopyTagsToSnapshot: copyTagsToSnapshot === true,
            ...(typeof certificateAuthority === 'string' && { CACertificateIdentifier: certificateAuthority }),
            ...(Array.isArray(logExports) && logExports.length > 0 && { EnableCloudwatchLogsExports: [...logExports] }),
            KmsKeyId: keyId,
            Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
          }),
        );
        return 'started';
      } catch (error) {
        if (isNamed(error, 'DBInstanceAlreadyExistsFault', 'DBInstanceAlreadyExists')) return 'exists';
        // Of an instance that is backed up or modified no replica can be made.
        if (isNamed(error, 'InvalidDBInstanceStateFault', 'InvalidDBInstanceState'))
          throw DatabaseNotReady(`No replica of ${source} can be made yet: ${messageOf(error)}`, { cause: error });
        throw error;
      }
    },
    async promote(identifier, { retentionDays, window }) {
      try {
        await client.send(
          new PromoteReadReplicaCommand({
            DBInstanceIdentifier: identifier,
            BackupRetentionPeriod: retentionDays,
            PreferredBackupWindow: window,
          }),
        );
        return 'started';
      } catch (error) {
        if (!isNamed(error, 'InvalidDBInstanceStateFault', 'InvalidDBInstanceState')) throw error;
        if (/is not a read replica/i.test(messageOf(error))) return 'promoted';
        throw DatabaseNotReady(`${identifier} cannot be promoted yet: ${messageOf(error)}`, { cause: error });
      }
    },
    async backUp(DBInstanceIdentifier, BackupRetentionPeriod) {
      try {
        await client.send(
          new ModifyDBInstanceCommand({ DBInstanceIdentifier, BackupRetentionPeriod, ApplyImmediately: true }),
        );
      } catch (error) {
        if (isNamed(error, 'InvalidDBInstanceStateFault', 'InvalidDBInstanceState'))
          throw DatabaseNotReady(`${DBInstanceIdentifier} is at work: ${messageOf(error)}`, { cause: error });
        throw error;
      }
    },
    async tag(ResourceName, tags) {
      const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
      await client.send(new AddTagsToResourceCommand({ ResourceName, Tags }));
    },
  };
}
