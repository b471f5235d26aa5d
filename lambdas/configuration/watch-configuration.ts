import * as z from 'zod';
import { watchConfiguration } from '../../core/configuration/watch-configuration.ts';
import { builds } from '../adapters/aws/builds.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { debts } from '../adapters/aws/debts.ts';
import { hostedZones } from '../adapters/aws/hosted-zones.ts';
import { metrics } from '../adapters/aws/metrics.ts';
import { recordingsLater } from '../adapters/aws/recordings-later.ts';
import { makeHandler } from '../handler.ts';

/** What the schedule sends says nothing. */
export const handler = makeHandler(z.unknown(), (_, rt) =>
  watchConfiguration({
    ...rt,
    control: controlStore(rt),
    debts: debts(rt),
    zones: hostedZones(),
    recordings: recordingsLater(rt),
    builds: builds(rt),
    metrics: metrics(rt),
  }),
);
