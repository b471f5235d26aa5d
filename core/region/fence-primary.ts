/**
 * FencePrimary and FenceAgain: the database that production leaves takes no writes any more, and it is proven, where it
 * answers. A switchover needs that proof. Where the Region is lost there is nobody to ask: the guard in it fences what returns.
 */
import { interruption } from '../communications/customers.ts';
import type { RestorePlan } from '../database/contracts.ts';
import { FenceFailed } from '../database/errors.ts';
import { type FenceSourceContext, fence } from '../database/fence-source.ts';
import { answerOf } from '../database/source.ts';
import { RecoveryError } from '../errors.ts';
import type { Incident } from '../incident/contracts.ts';
import type { StepResult } from '../step.ts';

export type FencePrimaryContext = FenceSourceContext;

export interface PrimaryFence {
  readonly outcome: 'fenced' | 'gone' | 'unreached';
  readonly fencedAt?: string;
}

/**
 * Throws FenceFailed where the primary answers and is not proven closed: promoting then would make two that take writes.
 * `databases` are those of the primary's Region.
 */
export async function fencePrimary(
  { incident, plan }: { readonly incident: Incident; readonly plan: RestorePlan },
  context: FencePrimaryContext,
): Promise<StepResult<PrimaryFence>> {
  const { clock, announcer } = context;
  const { failover, epoch, source } = plan;
  const now = clock.now().toISOString();
  try {
    const result = await fence({ incident, plan }, context);
    await announcer.announce(incident, {
      kind: 'milestone',
      headline: 'Production takes no writes until the cut-over',
      lines: [result.summary],
      customers: interruption(result.output.fencedAt ?? now),
    });
    return result;
  } catch (error) {
    if (failover?.style !== 'ungraceful' || !isUnreached(error)) throw error;
    const why = error instanceof Error ? error.message : String(error);
    return {
      output: { outcome: 'unreached' },
      summary: `${source.identifier} in ${failover.from} cannot be reached to be fenced: its guard does it when it returns`,
      facts: { outcome: 'unreached', why, epoch },
    };
  }
}

/** Nobody answered: not the database, or not the API that says what has become of it. */
function isUnreached(error: unknown): boolean {
  if (error instanceof RecoveryError && error.name === FenceFailed.definition.name)
    return error.cause !== undefined && answerOf(error.cause).kind !== 'answers';
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return (
    /^(ECONNRESET|ECONNREFUSED|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/.test(code) ||
    (error instanceof Error && /^(TimeoutError|ServiceUnavailable|InternalFailure)$/.test(error.name))
  );
}
