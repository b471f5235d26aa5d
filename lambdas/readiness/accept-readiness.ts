import * as z from 'zod';
import { Execution } from '../../core/incident/contracts.ts';
import { acceptReadiness } from '../../core/readiness/accept-readiness.ts';
import { ReadinessRequest } from '../../core/readiness/contracts.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { metrics } from '../adapters/aws/metrics.ts';
import { makeHandler } from '../handler.ts';

export const handler = makeHandler(z.object({ request: ReadinessRequest, execution: Execution }), (input, rt) =>
  acceptReadiness(input, { ...rt, region: rt.here.region, control: controlStore(rt), metrics: metrics(rt) }),
);
