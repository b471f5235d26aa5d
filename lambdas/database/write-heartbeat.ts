import * as z from 'zod';
import { writeHeartbeat } from '../../core/database/heartbeat.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { metrics } from '../adapters/aws/metrics.ts';
import { logins } from '../adapters/postgres/logins.ts';
import { makeHandler } from '../handler.ts';

export const handler = makeHandler(z.unknown(), (_event, rt) =>
  writeHeartbeat({
    ...rt,
    region: rt.here.region,
    control: controlStore(rt),
    metrics: metrics(rt),
    ...logins(rt),
  }),
);
