/** Looks at production's Region, in the incident table of the Region that looks. */
import { PrimaryLook } from '../../../core/region/contracts.ts';
import type { PrimaryLooks } from '../../../core/region/ports.ts';
import type { Runtime } from '../../handler.ts';
import { endOfTime, partition } from './partition.ts';

/** A week shows what led to a failover. */
const lookSeconds = 7 * 86_400;

export function primaryLooks(rt: Pick<Runtime, 'here'>): PrimaryLooks {
  const looks = partition(rt, 'primary-look');
  return {
    record: (look) => looks.put(look.at, { ...look, ttl: Math.floor(Date.parse(look.at) / 1000) + lookSeconds }),
    newest: async (count) => (await looks.read(PrimaryLook, endOfTime, count)).toReversed(),
  };
}
