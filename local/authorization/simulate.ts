/** What iam:SimulatePrincipalPolicy answers: the verdict of a role's identity policies, and what they asked for in vain. */
import type { PolicyDocument } from '../kernel.ts';
import type { Conditions } from './authorize.ts';
import { evaluateIdentity, type Verdict } from './evaluate.ts';
import { contextOf } from './patterns.ts';

export interface Simulation {
  readonly decision: Verdict;
  /** Condition keys of the policies that the simulated request does not present. */
  readonly missingContextValues: readonly string[];
}

/** Simulates one action on one resource (`*` where it has none) with these condition keys. */
export function simulate(
  documents: readonly PolicyDocument[],
  action: string,
  resource: string,
  conditions: Conditions,
): Simulation {
  const context = contextOf(conditions);
  const keys = documents
    .flatMap(({ Statement }) => Statement)
    .flatMap(({ Condition }) => Object.values(Condition ?? {}).flatMap((values) => Object.keys(values)));
  const missing = new Set(keys.filter((key) => context.get(key.toLowerCase()) === undefined));
  return { decision: evaluateIdentity(documents, { action, resource, context }), missingContextValues: [...missing] };
}
