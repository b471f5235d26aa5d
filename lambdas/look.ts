/** How a look of a readiness run is made: it answers facts, and judges nothing. */
import * as z from 'zod';
import { ReadinessRun } from '../core/readiness/contracts.ts';
import type { FactsOf, Source } from '../core/readiness/facts.ts';
import { makeHandler, type Runtime } from './handler.ts';

/** Fields that every look receives. */
const LookInput = z.object({ run: ReadinessRun });

export const makeLook = <S extends Source>(
  source: S,
  look: (run: ReadinessRun, runtime: Runtime) => Promise<FactsOf<S>>,
) =>
  makeHandler(LookInput, async ({ run }, at) => {
    at.logger.setCorrelationId(run.id);
    return { source, facts: await look(run, at) };
  });
