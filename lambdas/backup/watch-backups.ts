import * as z from 'zod';
import { watchBackups } from '../../core/backup/watch-backups.ts';
import { backups } from '../adapters/aws/backups.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { metrics } from '../adapters/aws/metrics.ts';
import { makeHandler } from '../handler.ts';

export const handler = makeHandler(z.unknown(), (_event, rt) =>
  watchBackups({
    ...rt,
    region: rt.here.region,
    control: controlStore(rt),
    backups: backups(rt),
    metrics: metrics(rt),
  }),
);
