/** Runs the seeds that it is sent, one after another, and sends back what came of each. */
import { configurationOf } from '../../config/index.ts';
import { type Plan, planOf, type Scenario } from './plan.ts';
import { type Result, simulate } from './run.ts';
import { shrink } from './shrink.ts';
import type { Violation } from './witness.ts';

export interface Work {
  readonly seed: number;
  readonly scenario?: Scenario | undefined;
  readonly assembly: string;
  readonly directory: string;
}

/** What is left of a result when it is sent from one process to another. */
export interface Report {
  readonly seed: number;
  readonly ends: readonly string[];
  readonly violations: readonly Violation[];
  readonly recoveries: Result['recoveries'];
  readonly struck: Result['struck'];
  /** Of a violation, the shortest plan that still shows it, and its story. */
  readonly shortest?: { readonly plan: string; readonly story: string };
  readonly crash?: string;
}

process.on('message', ({ seed, scenario, assembly, directory }: Work) => {
  const options = { configuration: configurationOf('production'), assembly, directory };
  report(planOf(seed, scenario), options).then(
    (result) => process.send?.(result),
    (error: Error) =>
      process.send?.({ seed, ends: [], violations: [], recoveries: [], struck: [], crash: error.stack ?? String(error) }),
  );
});
// Whoever started this is gone.
process.on('disconnect', () => process.exit());

async function report(drawn: Plan, options: Parameters<typeof simulate>[1]): Promise<Report> {
  const run = (plan: Plan) => simulate(plan, options);
  const result = await run(drawn);
  const { ends, violations, recoveries, struck } = result;
  const told = { seed: drawn.seed, ends, violations, recoveries, struck };
  if (violations.length === 0) return told;
  const { plan, story } = await shrink(result, run);
  return { ...told, shortest: { plan: JSON.stringify(plan), story: String(story) } };
}
