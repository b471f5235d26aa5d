/** One installation of production, in this order: those that come later find the database that earlier ones made production. */
import { onOneInstallation } from './site.ts';
import './production/drill.ts';
import './production/source-lost.ts'; // While no recovery has ended yet: its alarms are heeded.
import './production/operator.ts';

onOneInstallation('production');
