/** From a plan that violates an invariant to the shortest one that still does: what is left out did not matter. */
import type { Plan } from './plan.ts';
import type { Result } from './run.ts';

type Run = (plan: Plan) => Promise<Result>;

/** `found` is the result of the whole plan; the answer violates the first of its invariants, too. */
export async function shrink(found: Result, run: Run): Promise<Result> {
  const [violation] = found.violations;
  if (violation === undefined) return found;
  let smallest = found;
  for (let smaller = true; smaller; ) {
    smaller = false;
    for (const plan of withoutOne(smallest.plan)) {
      const result = await run(plan);
      if (!result.violations.some(({ invariant }) => invariant === violation.invariant)) continue;
      smallest = result;
      smaller = true;
      break;
    }
  }
  return smallest;
}

/** Every plan that lacks one thing of this one. */
function withoutOne(plan: Plan): Plan[] {
  const { disaster: _, ...calm } = plan;
  const without = <T>(list: readonly T[], index: number) => list.filter((_each, at) => at !== index);
  return [
    ...plan.faults.map((_fault, index) => ({ ...plan, faults: without(plan.faults, index) })),
    ...plan.acts.map((_act, index) => ({ ...plan, acts: without(plan.acts, index) })),
    ...(plan.disaster === undefined ? [] : [calm]),
    ...(plan.skewMs === 0 ? [] : [{ ...plan, skewMs: 0 }]),
  ];
}
