/** Where a drill makes its cluster: in production's account, or in one that the configuration names. */
import type { Incident } from '../incident/contracts.ts';
import type { DrillAccount, Settings } from '../settings.ts';
import { DrillAccountRefused } from './errors.ts';

/** Undefined where everything happens in production's account, as recoveries always do. */
export const drillAccountOf = (
  mode: Incident['mode'],
  { cluster }: Pick<Settings, 'cluster'>,
): DrillAccount | undefined => (mode === 'drill' ? cluster.drillAccount : undefined);

/** `found`: the account that STS says of who assumed the role. Throws DrillAccountRefused: a drill makes nothing anywhere else. */
export function requireDrillAccount({ id, roleArn }: DrillAccount, found: string | undefined): void {
  if (found !== id)
    throw DrillAccountRefused(`${roleArn} acts in account ${found ?? 'unknown'}, and drills belong in account ${id}`);
}
