/** The Region in which the database is: its endpoints refuse or hang, and nothing within goes on. */
import type { Disaster } from './disaster.ts';

export const regionLost: Disaster = {
  title: 'the primary Region is lost',
  loses: 'region',
  async strike({ goDark }) {
    if (goDark === undefined) throw new Error('Nobody here can take a Region away');
    await goDark();
    return 'every endpoint of the Region refuses or hangs';
  },
};
