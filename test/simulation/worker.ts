/** Runs the seeds that it is sent, one after another, and sends back what came of each. */
import { configurationOf } from '../../config/index.ts';
import { planOf } from './plan.ts';
import { type Result, simulate } from './run.ts';
import { shrink } from './shrink.ts';
import type { Violation } from './witness.ts';

export interface Work {
  readonly seed: number;
  readonly assembly: string;
  readonly directory: string;
}

/** What is left of a result when it is sent from one process to another. */
export interface Report {
  readonly seed: number;
  readonly ends: readonly string[];
  readonly violations: readonly Violation[];
  readonly recoveries: Result['recoveries'];
  /** Of a violation, the shortest plan that still shows it, and its story. */
  readonly shortest?: { readonly plan: string; readonly story: string };
  readonly crash?: string;
}

process.on('message', ({ seed, assembly, directory }: Work) => {
  const options = { configuration: configurationOf('production'), assembly, directory };
  report(seed, options).then(
    (result) => process.send?.(result),
    (error: Error) =>
      process.send?.({ seed, ends: [], violations: [], recoveries: [], crash: error.stack ?? String(error) }),
  );
});
// Whoever started this is gone.
process.on('disconnect', () => process.exit());

async function report(seed: number, options: Parameters<typeof simulate>[1]): Promise<Report> {
  const run = (plan: Parameters<typeof simulate>[0]) => simulate(plan, options);
  const result = await run(planOf(seed));
  const { ends, violations, recoveries } = result;
  if (violations.length === 0) return { seed, ends, violations, recoveries };
  const { plan, story } = await shrink(result, run);
  return { seed, ends, violations, recoveries, shortest: { plan: JSON.stringify(plan), story: String(story) } };
}
