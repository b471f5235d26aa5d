/** One installation of staging, in this order: those that come later find the database that earlier ones made production. */
import './staging/approval.ts';
import './staging/repair-tables.ts';
import './staging/silence.ts';
import './staging/interruption.ts';
import './staging/dump.ts';
