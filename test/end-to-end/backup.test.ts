/** A day's backup as the schedule brings it, the proof that it restores, and the other Region's restores when the first one is dark: on one installation, in this order. */
import { onOneInstallation } from './backup/site.ts';
import './backup/failing-day.ts';
import './backup/daily-backup.ts';
import './backup/weekly-proof.ts';
import './backup/dark-region.ts'; // Last, with what the daily backup has left: whatever is dark stays dark.

onOneInstallation();
