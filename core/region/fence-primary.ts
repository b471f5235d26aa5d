/**
 * FencePrimary and FenceAgain: the database that production leaves takes no writes any more, and it is proven, where it
 * answers. A switchover needs that proof. Where the Region is lost there is nobody to ask: the guard in it fences what returns.
 */
import { interruption } from '../communications/customers.ts';
import type { RestorePlan } from '../database/contracts.ts';
import { FenceFailed } from '../database/errors.ts';
import { type FenceSourceContext, fence, isComingUp } from '../database/fence-source.ts';
import { answerOf } from '../database/source.ts';
import { RecoveryError } from '../errors.ts';
import type { Incident } from '../incident/contracts.ts';
import type { StepResult } from '../step.ts';

export type FencePrimaryContext = FenceSourceContext;

export interface PrimaryFence {
  readonly outcome: 'fenced' | 'gone' | 'unreached';
  readonly fencedAt?: string;
}

/** How often the machines try again, 10 seconds apart, until one that is coming up is taken for one that cannot be reached. */
export const comesUpWithin = 6;

interface FencePrimaryInput {
  readonly incident: Incident;
  readonly plan: RestorePlan;
  /** How often it was tried before. */
  readonly before?: number;
  /** It was fenced before, and people know. */
  readonly isTold?: boolean;
}

/**
 * Throws FenceFailed where the primary answers and is not proven closed: promoting then would make two that take writes.
 * `databases` are those of the primary's Region.
 */
export async function fencePrimary(
  { incident, plan, before = 0, isTold = false }: FencePrimaryInput,
  context: FencePrimaryContext,
): Promise<StepResult<PrimaryFence>> {
  const { clock, announcer } = context;
  const { failover, epoch, source } = plan;
  const now = clock.now().toISOString();
  try {
    const result = await fence({ incident, plan }, context);
    if (!isTold)
      await announcer.announce(incident, {
        kind: 'milestone',
        headline: 'Production takes no writes until the cut-over',
        lines: [result.summary],
        customers: interruption(result.output.fencedAt ?? now),
      });
    return result;
  } catch (error) {
    const isHalfUp = isComingUp(error) && before >= comesUpWithin;
    if (failover?.style !== 'ungraceful' || !(isHalfUp || isUnreached(error))) throw error;
    const why = error instanceof Error ? error.message : String(error);
    const how = isHalfUp ? 'takes no sessions, and cannot be fenced yet' : 'cannot be reached to be fenced';
    return {
      output: { outcome: 'unreached' },
      summary: `${source.identifier} in ${failover.from} ${how}: its guard does it when it returns`,
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
