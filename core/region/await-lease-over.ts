/** AwaitLeaseOver: with strict fencing, a primary that was not reached has closed itself before another database takes writes. */
import type { RestorePlan } from '../database/contracts.ts';
import { formatSeconds, secondsBetween } from '../incident/moments.ts';
import type { Clock } from '../incident/ports.ts';
import type { Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import { LeaseNotOver } from './errors.ts';
import type { PrimaryFence } from './fence-primary.ts';
import type { RegionStore } from './ports.ts';

export interface LeaseOverContext {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly store: Pick<RegionStore, 'readLease'>;
}

/** Clocks of two Regions are this close (Amazon Time Sync: far closer). */
const clockSeconds = 2;

interface LeaseOverInput {
  readonly plan: RestorePlan;
  readonly fence: Pick<PrimaryFence, 'outcome'>;
}

/** Throws the retryable LeaseNotOver until the last lease that the primary can have is over. */
export async function awaitLeaseOver(
  { plan, fence }: LeaseOverInput,
  { settings, clock, store }: LeaseOverContext,
): Promise<StepResult<Record<string, never>>> {
  const { fencing, leaseSeconds } = settings.region;
  const done = (summary: string, facts: Readonly<Record<string, unknown>> = {}) => ({ output: {}, summary, facts });
  if (fence.outcome !== 'unreached') return done(`nothing to wait for: the primary is ${fence.outcome}`);
  if (fencing === 'default')
    return done('nothing is waited for: the guard bounds the time in which a primary that returns takes writes', {
      fencing,
    });
  const lease = await store.readLease();
  if (lease === undefined || lease.epoch < plan.epoch)
    return done('the primary never had a lease: its logins are closed', { fencing });
  const over = secondsBetween(lease.renewedAt, clock.now().toISOString()) - leaseSeconds - clockSeconds;
  if (over < 0)
    throw LeaseNotOver(
      `The primary renewed its lease at ${lease.renewedAt}: it may take writes for ${formatSeconds(-over)} more.`,
    );
  return done(`the primary's last lease, of ${lease.renewedAt}, is over: it takes no writes any more`, {
    fencing,
    renewedAt: lease.renewedAt,
    leaseSeconds,
  });
}
