/** What readiness needs from outside, besides the looks: where its runs, and green drills, are kept. */
import type { GreenDrill, ReadinessRecord } from './contracts.ts';

/** Runs, in the incident table of the Region that looked. */
export interface ReadinessRecords {
  record(record: ReadinessRecord): Promise<void>;
  latest(): Promise<ReadinessRecord | undefined>;
  /** The newest one that was finished at that moment or before it: what a gate goes by that was not asked in time. */
  atOrBefore(moment: string): Promise<ReadinessRecord | undefined>;
}

/** The last good drill of each scenario, in the incident table of the Region where it ran. */
export interface GreenDrills {
  record(drill: GreenDrill): Promise<void>;
  list(): Promise<GreenDrill[]>;
}
