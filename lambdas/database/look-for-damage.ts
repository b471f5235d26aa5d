import * as z from 'zod';
import { lookForDamage } from '../../core/database/look-for-damage.ts';
import { baselines, looks, profiles } from '../adapters/aws/baselines.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { metrics } from '../adapters/aws/metrics.ts';
import { databasesLater } from '../adapters/aws/rds-later.ts';
import { logins } from '../adapters/postgres/logins.ts';
import { makeHandler } from '../handler.ts';

export const handler = makeHandler(z.object({ accept: z.string().optional() }), (input, rt) =>
  lookForDamage(input, {
    ...rt,
    region: rt.here.region,
    baselines: baselines(rt),
    databases: databasesLater(rt),
    looks: looks(rt),
    profiles: profiles(rt),
    control: controlStore(rt),
    metrics: metrics(rt),
    ...logins(rt),
    lookSeconds: 45,
  }),
);
