import * as z from 'zod';
import { lookAtPrimary } from '../../core/region/look-at-primary.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { metrics } from '../adapters/aws/metrics.ts';
import { primaryLooks } from '../adapters/aws/primary-looks.ts';
import { parameters } from '../adapters/aws/ssm.ts';
import { http } from '../adapters/http/probe.ts';
import { logins } from '../adapters/postgres/logins.ts';
import { makeHandler } from '../handler.ts';

/** What the schedule sends says nothing. */
export const handler = makeHandler(z.unknown(), (_, rt) =>
  lookAtPrimary({
    ...rt,
    control: controlStore(rt),
    http,
    looks: primaryLooks(rt),
    metrics: metrics(rt),
    parameters: parameters(rt),
    statusElsewhere: async (...asked) =>
      (await import('../adapters/aws/status-elsewhere.ts')).statusElsewhere(...asked),
    ...logins(rt),
  }),
);
