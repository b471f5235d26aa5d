/** One installation of staging, in this order: those that come later find the database that earlier ones made production. */
import { onOneInstallation } from './site.ts';
import './staging/refusals.ts';
import './staging/silence.ts';
import './staging/approval.ts';
import './staging/repair-tables.ts';
import './staging/failures.ts';
import './staging/restore.ts';
import './staging/interruption.ts';
import './staging/dump.ts';

onOneInstallation('staging');
