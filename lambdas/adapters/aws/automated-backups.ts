/** RDS's automated backups of one Region: how long they are kept, and those that it receives from the other Region. */
import {
  DescribeDBInstanceAutomatedBackupsCommand,
  ModifyDBInstanceCommand,
  RDSClient,
  StartDBInstanceAutomatedBackupsReplicationCommand,
} from '@aws-sdk/client-rds';
import type { AutomatedBackups } from '../../../core/backup/ports.ts';
import { DatabaseNotReady } from '../../../core/database/errors.ts';
import { clientFor } from './clients.ts';

const isNamed = (error: unknown, ...names: readonly string[]) => error instanceof Error && names.includes(error.name);

export function automatedBackups(region: string): AutomatedBackups {
  const client = clientFor(RDSClient, region);
  return {
    async setRetention(DBInstanceIdentifier, BackupRetentionPeriod) {
      try {
        // From one number above zero to another RDS changes it at once and asynchronously (RDS API: ModifyDBInstance);
        // without ApplyImmediately no other modification that waits for its window is brought forward.
        await client.send(new ModifyDBInstanceCommand({ DBInstanceIdentifier, BackupRetentionPeriod }));
      } catch (error) {
        if (!isNamed(error, 'InvalidDBInstanceStateFault', 'InvalidDBInstanceState')) throw error;
        throw DatabaseNotReady(`${DBInstanceIdentifier} cannot be modified yet: ${(error as Error).message}`, {
          cause: error,
        });
      }
    },

    async replicated(resourceId) {
      try {
        const { DBInstanceAutomatedBackups: [found] = [] } = await client.send(
          new DescribeDBInstanceAutomatedBackupsCommand({ DbiResourceId: resourceId }),
        );
        if (found === undefined) return undefined;
        const { EarliestTime, LatestTime } = found.RestoreWindow ?? {};
        return {
          status: found.Status ?? '',
          retentionDays: found.BackupRetentionPeriod,
          window:
            EarliestTime && LatestTime
              ? { earliest: EarliestTime.toISOString(), latest: LatestTime.toISOString() }
              : undefined,
        };
      } catch (error) {
        if (isNamed(error, 'DBInstanceAutomatedBackupNotFoundFault')) return undefined;
        throw error;
      }
    },

    async replicate({ sourceArn, keyArn, retentionDays }) {
      try {
        await client.send(
          new StartDBInstanceAutomatedBackupsReplicationCommand({
            SourceDBInstanceArn: sourceArn,
            KmsKeyId: keyArn,
            BackupRetentionPeriod: retentionDays,
          }),
        );
        return 'started';
      } catch (error) {
        if (isNamed(error, 'InvalidDBInstanceAutomatedBackupStateFault')) return 'exists';
        throw error;
      }
    },
  };
}
