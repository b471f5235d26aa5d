/** From what was seen to verdicts: each check, each scenario, the whole. Pure. */
import { readFailure } from '../errors.ts';
import { Scenario } from '../incident/contracts.ts';
import type { Check, CheckContext } from './check.ts';
import { checks } from './checks/index.ts';
import type { CheckResult, ScenarioResult } from './contracts.ts';
import { type Answer, type Facts, type FactsOf, type Looked, type Source, sources } from './facts.ts';

/** Source by source: its facts, or why there are none. What cannot be read is no answer either. */
export function factsIn(looked: readonly Looked[]): Facts {
  const answerOf = <S extends Source>(source: S): Answer<FactsOf<S>> => {
    const found = looked.find((each) => each.source === source);
    if (found === undefined) return { silent: `nobody looked at ${source}` };
    if ('failure' in found) {
      const { name, message } = readFailure(found.failure);
      return { silent: `the look at ${source} failed: ${name}: ${message}` };
    }
    const parsed = sources[source].safeParse(found.facts);
    return parsed.success
      ? { found: parsed.data as FactsOf<S> }
      : { silent: `the facts of ${source} are of another version` };
  };
  return Object.fromEntries((Object.keys(sources) as Source[]).map((source) => [source, answerOf(source)])) as {
    readonly [S in Source]: Answer<FactsOf<S>>;
  };
}

export interface Judgement {
  readonly verdict: ScenarioResult['verdict'];
  readonly checks: CheckResult[];
  readonly scenarios: ScenarioResult[];
}

export function judge(facts: Facts, context: CheckContext, all: readonly Check[] = checks): Judgement {
  const results = all.map((check) => check.look(facts, context));
  const scenarios = Scenario.options.flatMap((scenario) => {
    const own = results.filter((each) => each.scenarios.includes(scenario));
    return own.length === 0 ? [] : [judgeScenario(scenario, own)];
  });
  return { verdict: verdictOf(results), checks: results, scenarios };
}

function judgeScenario(scenario: ScenarioResult['scenario'], results: readonly CheckResult[]): ScenarioResult {
  const applying = results.filter(({ verdict }) => verdict !== 'not-applicable');
  const missing = applying.filter(({ verdict }) => verdict !== 'ready');
  const share = applying.length === 0 ? 0 : (applying.length - missing.length) / applying.length;
  return {
    scenario,
    verdict: verdictOf(results),
    score: Math.floor(100 * share),
    missing: missing.map(({ check }) => check),
  };
}

/** What is known to be wrong weighs more than what is not known; unknown never passes. */
function verdictOf(results: readonly CheckResult[]): ScenarioResult['verdict'] {
  if (results.some(({ verdict }) => verdict === 'not-ready')) return 'not-ready';
  return results.some(({ verdict }) => verdict === 'unknown') || !results.some(({ verdict }) => verdict === 'ready')
    ? 'unknown'
    : 'ready';
}
