import * as z from 'zod';
import { reportDrift } from '../../core/configuration/report-drift.ts';
import { metrics } from '../adapters/aws/metrics.ts';
import { buildResults } from '../adapters/build-results.ts';
import { makeHandler } from '../handler.ts';

/** The last command of the build that compares with Git every day. */
export const handler = makeHandler(z.object({ lost: z.array(z.string()) }), (input, rt) =>
  reportDrift(input, { results: buildResults, metrics: metrics(rt) }),
);
