/** Strict fencing, seen from the DR Region: from when on the primary has fenced itself, and what speaks against relying on it. Pure. */
import type { ActiveDatabase } from '../incident/contracts.ts';
import { formatSeconds, isBefore } from '../incident/moments.ts';
import type { Settings } from '../settings.ts';
import type { PrimaryLook, Tenure } from './contracts.ts';
import type { Denial } from './judge.ts';

export type Strict = Extract<Settings['region']['fencing'], { mode: 'strict' }>;

/** The name under which waiting for the end of the tenure is waived. */
export const tenureCheck = 'tenure';

export interface TenureFacts {
  readonly strict: Strict;
  readonly tenure: Tenure | undefined;
  readonly active: Pick<ActiveDatabase, 'region' | 'since'>;
}

/** From then on the primary refuses writes, if nobody renews its tenure; undefined where no renewal was ever seen. */
export function refusesFrom({ strict, tenure, active }: TenureFacts): string | undefined {
  if (tenure?.renewedAt === undefined || tenure.region !== active.region) return undefined;
  // A guard that has not renewed since production came here fences by what it remembers of before, at its next look.
  const last = isBefore(tenure.renewedAt, active.since) ? active.since : tenure.renewedAt;
  return new Date(Date.parse(last) + (strict.tenureSeconds + strict.fenceSeconds) * 1000).toISOString();
}

/** `looks` are of this epoch, oldest first. Waived by name: nobody waits, whatever is known. */
export function tenureDenials(
  facts: TenureFacts & { readonly looks: readonly PrimaryLook[]; readonly isWaived: boolean },
): Denial[] {
  const { strict, active, looks, isWaived } = facts;
  const from = refusesFrom(facts);
  const deny = (reason: string): Denial[] => [{ check: tenureCheck, reason: `fencing is strict, and ${reason}` }];
  if (from === undefined)
    return deny(`no renewal of the tenure of ${active.region} was ever seen: nothing says that it fences itself`);
  // A guard that runs fences it before; one that does not run lets it take writes for ever.
  const isUp = (look: PrimaryLook | undefined) =>
    look?.signals.some(({ signal, state }) => signal === 'database' && state === 'up') ?? false;
  const late = looks.findLast((look) => isUp(look) && isBefore(from, look.at));
  if (late !== undefined && !isUp(looks.at(-1)))
    return deny(
      `its database answered at ${late.at}, when its tenure had been over for ${formatSeconds(strict.fenceSeconds)} and more: its guard may not be at work`,
    );
  return isWaived ? deny(`${active.region} refuses writes by itself only from ${from} on`) : [];
}
