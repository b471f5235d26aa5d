/** Where a run plays, and who sees and tells it. */
import type { Site } from './site.ts';
import type { Story } from './story.ts';
import type { Witness } from './witness.ts';

export interface Stage {
  readonly site: Site;
  readonly story: Story;
  readonly witness: Witness;
}
