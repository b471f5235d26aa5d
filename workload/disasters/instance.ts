/** The host of the database and its volume are gone. */
import { rmSync } from 'node:fs';
import type { Disaster } from './disaster.ts';

export const instanceLost: Disaster = {
  title: 'the instance and its volume are lost',
  loses: 'database',
  async strike({ server: { directory, pid } }) {
    if (pid === undefined) throw new Error('The server does not run');
    // The server leads its process group: every backend goes with it.
    process.kill(-pid, 'SIGKILL');
    rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    return 'kill -9 of every process, and the data directory removed';
  },
};
