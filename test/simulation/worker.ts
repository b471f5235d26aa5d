/** Does what it is sent, one after another, and sends back what came of each. */
import { type Cell, type Machine, meet, type Outcome, reach } from './matrix.ts';
import type { Plan } from './plan.ts';
import { type Result, simulate } from './run.ts';
import { shrink } from './shrink.ts';
import { optionsFor, type Place } from './variants.ts';
import type { Violation } from './witness.ts';

export type Work =
  /** One run; of a violation, the shortest plan that still shows it. */
  | (Place & { readonly kind: 'plan'; readonly plan: Plan; readonly shrinks: boolean })
  /** One cell of the fault matrix. */
  | (Place & { readonly kind: 'cell'; readonly cell: Cell; readonly base: Plan })
  /** Which plan reaches which Task. */
  | (Place & { readonly kind: 'reach'; readonly machine: Machine });

/** What is left of a result when it is sent from one process to another. */
export interface Report {
  readonly seed: number;
  readonly ends: readonly string[];
  readonly violations: readonly Violation[];
  readonly recoveries: Result['recoveries'];
  readonly struck: Result['struck'];
  readonly story: string;
  readonly shortest?: { readonly plan: string; readonly story: string };
}

export interface Answers {
  readonly plan: Report;
  readonly cell: Omit<Outcome, 'story'> & { readonly story: string };
  readonly reach: readonly (readonly [task: string, plan: Plan])[];
}

export interface Order {
  readonly id: number;
  readonly work: Work;
}
export interface Done {
  readonly id: number;
  readonly answer?: Answers[keyof Answers];
  /** Why the simulation itself failed. */
  readonly crash?: string;
}

process.on('message', ({ id, work }: Order) => {
  perform(work)
    .then(
      (answer) => process.send?.({ id, answer } satisfies Done),
      (error: Error) => process.send?.({ id, crash: error.stack ?? String(error) } satisfies Done),
    )
    // Where nothing of a run is in use any more, nothing has to be copied.
    .finally(() => setImmediate(() => globalThis.gc?.({ type: 'minor' })));
});
// Whoever started this is gone.
process.on('disconnect', () => process.exit());

async function perform(work: Work): Promise<Answers[keyof Answers]> {
  if (work.kind === 'reach') return [...(await reach(work.machine, work))];
  if (work.kind === 'cell') {
    const outcome = await meet(work.cell, work.base, work);
    return { ...outcome, story: String(outcome.story) };
  }
  const run = (plan: Plan) => simulate(plan, optionsFor(plan, work));
  const result = await run(work.plan);
  const { ends, violations, recoveries, struck, story } = result;
  const report = { seed: work.plan.seed, ends, violations, recoveries, struck, story: String(story) };
  if (violations.length === 0 || !work.shrinks) return report;
  const shortest = await shrink(result, run);
  return { ...report, shortest: { plan: JSON.stringify(shortest.plan), story: String(shortest.story) } };
}
