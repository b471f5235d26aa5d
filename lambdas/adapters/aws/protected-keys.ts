/** Keys that production needs, as KMS has them, and out of their deletion again. */
import { CancelKeyDeletionCommand, DescribeKeyCommand, EnableKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import type { ProtectedKey, ProtectedKeys } from '../../../core/configuration/ports.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from './clients.ts';

export function protectedKeys({ settings, here }: Pick<Runtime, 'settings' | 'here'>): ProtectedKeys {
  const client = clientFor(KMSClient, here.region);
  const describe = async (KeyId: string) => {
    try {
      return (await client.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata;
    } catch (error) {
      if (error instanceof Error && error.name === 'NotFoundException') return undefined;
      throw error;
    }
  };
  return {
    async list(database) {
      const { databaseKeys } = await import('../readiness/database-keys.ts');
      const named = [
        { use: 'copies of backups', key: here.backupKeyAlias },
        { use: 'messages', key: `alias/stocker-dr-${settings.environment}` },
        ...(await databaseKeys(here.region, database)),
      ];
      const found = await Promise.all(
        named.map(async ({ use, key }): Promise<ProtectedKey | undefined> => {
          // AWS makes its own keys when they are first used, and nobody deletes them.
          if (key.startsWith('alias/aws/')) return undefined;
          const known = await describe(key);
          if (known?.KeyManager === 'AWS') return undefined;
          return { use, arn: known?.Arn ?? key, state: known?.KeyState ?? 'absent' };
        }),
      );
      return [...new Map(found.flatMap((each) => (each ? [[each.arn, each] as const] : []))).values()];
    },
    async keep(arn) {
      // A key whose deletion is cancelled is disabled (KMS: CancelKeyDeletion).
      const { KeyState } = (await describe(arn)) ?? {};
      if (KeyState?.startsWith('Pending')) await client.send(new CancelKeyDeletionCommand({ KeyId: arn }));
      if (KeyState !== 'Enabled') await client.send(new EnableKeyCommand({ KeyId: arn }));
    },
  };
}
