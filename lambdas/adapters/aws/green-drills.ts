/** The last good drill of each scenario, in the incident table of a Region. */
import { GreenDrill } from '../../../core/readiness/contracts.ts';
import type { GreenDrills } from '../../../core/readiness/ports.ts';
import type { Runtime } from '../../handler.ts';
import { endOfTime, partition } from './partition.ts';

export function greenDrills(rt: Pick<Runtime, 'here'>): GreenDrills {
  const drills = partition(rt, 'green-drill');
  return {
    record: (drill) => drills.put(drill.scenario, drill),
    list: () => drills.read(GreenDrill, endOfTime, 10),
  };
}
