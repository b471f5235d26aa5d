/** Read replicas of one Region. */
import {
  AddTagsToResourceCommand,
  CreateDBInstanceReadReplicaCommand,
  ModifyDBInstanceCommand,
  type ModifyDBInstanceCommandInput,
  PromoteReadReplicaCommand,
  paginateDescribeDBInstances,
  RDSClient,
  RebootDBInstanceCommand,
} from '@aws-sdk/client-rds';
import type { Replicas } from '../../../core/region/ports.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from './clients.ts';
import { toInstance } from './rds.ts';
import { observationOf } from './rds-observation.ts';
import { isAtWork, isNamed, unlessAtWork, unlessFull } from './rds-refusals.ts';
import { provisionedStorage } from './rds-restore.ts';

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

export function replicas({ settings }: Pick<Runtime, 'settings'>, region: string): Replicas {
  const client = clientFor(RDSClient, region);
  const modify = async (DBInstanceIdentifier: string, change: Partial<ModifyDBInstanceCommandInput>) => {
    try {
      await client.send(new ModifyDBInstanceCommand({ DBInstanceIdentifier, ...change, ApplyImmediately: true }));
    } catch (error) {
      throw unlessAtWork(`${DBInstanceIdentifier} is at work`, error);
    }
  };
  return {
    async of(source) {
      // Names within a Region; no page says what a replica shows whose source was given as an ARN there.
      const wanted = [
        `arn:aws:rds:${source.region}:${settings.account}:db:${source.identifier}`,
        ...(source.region === region ? [source.identifier] : []),
      ];
      for await (const { DBInstances = [] } of paginateDescribeDBInstances({ client }, {})) {
        const found = DBInstances.find((each) => wanted.includes(each.ReadReplicaSourceDBInstanceIdentifier ?? ''));
        if (found) return toInstance(found, region);
      }
      return undefined;
    },
    async create({ identifier, sourceArn, subnetGroup, securityGroupIds, keyId, like, tags }) {
      const {
        logExports,
        copyTagsToSnapshot,
        certificateAuthority,
        autoMinorVersionUpgrade,
        networkType,
        iamAuthentication,
      } = like.settings;
      try {
        await client.send(
          new CreateDBInstanceReadReplicaCommand({
            DBInstanceIdentifier: identifier,
            SourceDBInstanceIdentifier: sourceArn,
            DBSubnetGroupName: subnetGroup,
            VpcSecurityGroupIds: [...securityGroupIds],
            DBInstanceClass: String(like.settings.instanceClass),
            StorageType: String(like.settings.storageType),
            ...provisionedStorage(like.settings),
            MultiAZ: false,
            PubliclyAccessible: false,
            AutoMinorVersionUpgrade: autoMinorVersionUpgrade === true,
            CopyTagsToSnapshot: copyTagsToSnapshot === true,
            EnableIAMDatabaseAuthentication: iamAuthentication === true,
            ...(typeof networkType === 'string' && { NetworkType: networkType }),
            ...observationOf(like.settings, region),
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
        const { instanceClass } = like.settings;
        throw unlessAtWork(
          `No replica of ${sourceArn} can be made yet`,
          unlessFull({ instanceClass, region, identifier }, error),
        );
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
        if (isAtWork(error) && /is not a read replica/i.test(messageOf(error))) return 'promoted';
        throw unlessAtWork(`${identifier} cannot be promoted yet`, error);
      }
    },
    useParameters: (identifier, DBParameterGroupName) => modify(identifier, { DBParameterGroupName }),
    async reboot(DBInstanceIdentifier) {
      try {
        await client.send(new RebootDBInstanceCommand({ DBInstanceIdentifier }));
      } catch (error) {
        throw unlessAtWork(`${DBInstanceIdentifier} cannot be rebooted yet`, error);
      }
    },
    backUp: (identifier, BackupRetentionPeriod) => modify(identifier, { BackupRetentionPeriod }),
    async tag(ResourceName, tags) {
      const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
      await client.send(new AddTagsToResourceCommand({ ResourceName, Tags }));
    },
  };
}
