import * as z from 'zod';
import { publishLatches } from '../../core/region/latch.ts';
import { metrics } from '../adapters/aws/metrics.ts';
import { regionStore } from '../adapters/aws/region-store.ts';
import { makeHandler } from '../handler.ts';

/** What the schedule sends says nothing. */
export const handler = makeHandler(z.unknown(), (_, rt) =>
  publishLatches({ store: regionStore(rt), metrics: metrics(rt) }),
);
