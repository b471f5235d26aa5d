/** Terraform's states of the Region that looks, and Terraform itself beside them. */
import { terraformArchive } from '../../../core/cluster/contracts.ts';
import { ask } from '../../../core/readiness/answer.ts';
import type { ReadinessRun } from '../../../core/readiness/contracts.ts';
import type { FactsOf } from '../../../core/readiness/facts.ts';
import { regionSettings } from '../../../core/settings.ts';
import type { Runtime } from '../../handler.ts';
import { regionFacts } from '../aws/region-facts.ts';

export function lookAtTerraform(
  { region }: ReadinessRun,
  { settings }: Pick<Runtime, 'settings'>,
): Promise<FactsOf<'terraform'>> {
  const bucket = regionSettings(settings, region).terraformStateBucket;
  return ask(`the bucket ${bucket}`, () =>
    Promise.all(
      [...settings.backup.terraformStates, terraformArchive].map(async (key) => {
        const state = await regionFacts(region).terraformState(bucket, key);
        return { state: `s3://${bucket}/${key}`, found: typeof state === 'string' ? state : ('versioned' as const) };
      }),
    ),
  );
}
