/** What the steps of the backup machine share. */

import type { Runtime } from '../handler.ts';
import { automatedBackups } from './aws/automated-backups.ts';
import { snapshots } from './aws/backup-snapshots.ts';
import { backups } from './aws/backups.ts';
import { databases } from './aws/rds.ts';

export const backupPorts = (rt: Runtime) => ({
  ...rt,
  snapshots,
  automated: automatedBackups,
  databases: databases(rt),
  backups: backups(rt),
});
