/** Where a run plays, and who sees and tells it. */
import type { RegionWitness } from './region-witness.ts';
import type { Site } from './site.ts';
import type { Story } from './story.ts';
import type { Witness } from './witness.ts';

export interface Stage {
  readonly site: Site;
  readonly story: Story;
  readonly witness: Witness;
  /** Where the run is about Regions. */
  readonly regions?: RegionWitness | undefined;
}
