import * as z from 'zod';
import { reportBuild, reported } from '../../core/cluster/report-build.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { buildResults } from '../adapters/build-results.ts';
import { makeStep, StepInput } from '../handler.ts';

/** The last command of a build of the cluster job. */
export const handler = makeStep(StepInput.extend({ action: z.enum(reported) }), incidentStore, async (input) =>
  reportBuild(input, buildResults),
);
