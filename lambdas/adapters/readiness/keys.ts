/** What the keys of a recovery are, and whether they may be used. */
import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { ask } from '../../../core/readiness/answer.ts';
import type { ReadinessRun } from '../../../core/readiness/contracts.ts';
import type { FactsOf } from '../../../core/readiness/facts.ts';
import { regionSettings } from '../../../core/settings.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from '../aws/clients.ts';

export async function lookAtKeys(
  { region, activeRegion, database }: ReadinessRun,
  { settings }: Pick<Runtime, 'settings'>,
): Promise<FactsOf<'keys'>> {
  const keysIn = (where: string) =>
    ask(`KMS in ${where}`, async () => {
      const aliases = [
        { use: 'backups', key: regionSettings(settings, where).backupKeyAlias },
        { use: 'messages', key: `alias/stocker-dr-${settings.environment}` },
      ];
      const { databaseKeys } = await import('./database-keys.ts');
      const ofDatabase = await databaseKeys(where, database.identifier);
      return Promise.all(
        [...aliases, ...ofDatabase].map(async (each) => ({ ...each, state: await stateOf(each.key, where) })),
      );
    });
  const [active, standby] = await Promise.all([keysIn(activeRegion), keysIn(region)]);
  return { active, standby };
}

async function stateOf(KeyId: string, region: string): Promise<string> {
  try {
    const { KeyMetadata } = await clientFor(KMSClient, region).send(new DescribeKeyCommand({ KeyId }));
    return KeyMetadata?.KeyState ?? 'absent';
  } catch (error) {
    if (error instanceof Error && error.name === 'NotFoundException') return 'absent';
    throw error;
  }
}
