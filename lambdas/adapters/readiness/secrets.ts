/** Which version of each secret is current in both Regions. Never a value. */
import { ask } from '../../../core/readiness/answer.ts';
import type { ReadinessRun } from '../../../core/readiness/contracts.ts';
import type { FactsOf } from '../../../core/readiness/facts.ts';
import { secretNames } from '../../../core/settings.ts';
import type { Runtime } from '../../handler.ts';
import { regionFacts } from '../aws/region-facts.ts';

export async function lookAtSecrets(
  { region, activeRegion }: ReadinessRun,
  { settings }: Pick<Runtime, 'settings'>,
): Promise<FactsOf<'secrets'>> {
  const versionsIn = (where: string) =>
    ask(`Secrets Manager in ${where}`, async () => {
      const versions = secretNames(settings).map(
        async (name) => [name, (await regionFacts(where).secretVersion(name)) ?? null] as const,
      );
      return Object.fromEntries(await Promise.all(versions));
    });
  const [active, standby] = await Promise.all([versionsIn(activeRegion), versionsIn(region)]);
  return { active, standby };
}
