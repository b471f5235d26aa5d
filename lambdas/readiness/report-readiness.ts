import * as z from 'zod';
import { ReadinessRun } from '../../core/readiness/contracts.ts';
import { Looked } from '../../core/readiness/facts.ts';
import { reportReadiness } from '../../core/readiness/report-readiness.ts';
import { metrics } from '../adapters/aws/metrics.ts';
import { readinessRecords } from '../adapters/aws/readiness.ts';
import { makeHandler } from '../handler.ts';

export const handler = makeHandler(z.object({ run: ReadinessRun, looked: z.array(Looked) }), (input, rt) =>
  reportReadiness(input, { ...rt, readiness: readinessRecords(rt), metrics: metrics(rt) }),
);
