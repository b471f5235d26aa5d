import * as z from 'zod';
import { guardDatabase } from '../../core/region/guard-database.ts';
import { announcer } from '../adapters/aws/announcer.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { evidenceLater } from '../adapters/aws/evidence-later.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { metrics } from '../adapters/aws/metrics.ts';
import { databasesLater } from '../adapters/aws/rds-later.ts';
import { regionStore } from '../adapters/aws/region-store.ts';
import { tenureMemories, tenures } from '../adapters/aws/tenures.ts';
import { logins } from '../adapters/postgres/logins.ts';
import { makeHandler } from '../handler.ts';

/** What the schedule sends says nothing. */
export const handler = makeHandler(z.unknown(), (_, rt) =>
  guardDatabase({
    ...rt,
    announcer: announcer(rt, incidentStore(rt)),
    control: controlStore(rt),
    databases: databasesLater(rt),
    evidence: evidenceLater(rt),
    metrics: metrics(rt),
    memories: tenureMemories(rt),
    store: regionStore(rt),
    tenures: tenures(rt),
    ...logins(rt),
  }),
);
