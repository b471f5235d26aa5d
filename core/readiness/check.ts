/** How a check is made: what it rests on, and what is right. Pure; one file of checks/ each. */
import type { Scenario } from '../incident/contracts.ts';
import type { Settings } from '../settings.ts';
import type { CheckResult, DependsOn, ReadinessRun, ReadinessVerdict } from './contracts.ts';
import type { Answer, Facts } from './facts.ts';

export interface CheckContext {
  readonly settings: Settings;
  readonly run: ReadinessRun;
  /** When it is judged (ISO text). */
  readonly now: string;
}

export interface Finding {
  readonly verdict: ReadinessVerdict;
  readonly reason: string;
  readonly evidence?: Readonly<Record<string, unknown>>;
  /** Where it rests on something older than this run. */
  readonly seenAt?: string;
}

type ScenarioName = (typeof Scenario.options)[number];

interface Definition {
  /** Names the alarm and the heading of the runbook. */
  readonly name: string;
  /** What is wrong when it rings. */
  readonly title: string;
  readonly dependsOn: DependsOn;
  /** The recoveries that fail, or lose more than they may, without it. */
  readonly scenarios: readonly ScenarioName[];
}

export interface Check extends Definition {
  look(facts: Facts, context: CheckContext): CheckResult;
}

/** A source that does not answer makes the check unknown; what it found is judged. */
export function defineCheck<T>({
  facts: pick,
  judge,
  exempt,
  ...definition
}: Definition & {
  /** Why it does not apply by configuration; undefined: it does. Asked before anything is looked at. */
  readonly exempt?: (settings: Settings) => string | undefined;
  readonly facts: (facts: Facts, context: CheckContext) => Answer<T>;
  readonly judge: (found: T, context: CheckContext) => Finding;
}): Check {
  const { name, dependsOn, scenarios } = definition;
  const findingOf = (facts: Facts, context: CheckContext): Finding => {
    const why = exempt?.(context.settings);
    if (why !== undefined) return { verdict: 'not-applicable', reason: why };
    const answer = pick(facts, context);
    return 'silent' in answer ? { verdict: 'unknown', reason: answer.silent } : judge(answer.found, context);
  };
  return {
    ...definition,
    look(facts, context) {
      const finding = findingOf(facts, context);
      return {
        check: name,
        verdict: finding.verdict,
        reason: finding.reason,
        seenAt: finding.seenAt ?? context.now,
        evidence: { ...finding.evidence },
        dependsOn,
        scenarios: [...scenarios],
        runbook: `docs/runbooks/readiness.md#readiness-${name}`,
      };
    },
  };
}

export const ready = (reason: string, more: Omit<Finding, 'verdict' | 'reason'> = {}): Finding => ({
  verdict: 'ready',
  reason,
  ...more,
});
export const notReady = (reason: string, more: Omit<Finding, 'verdict' | 'reason'> = {}): Finding => ({
  verdict: 'not-ready',
  reason,
  ...more,
});

/** Ready where nothing is wrong; otherwise every flaw is named. */
export const judgeFlaws = (flaws: readonly string[], good: string, more: Omit<Finding, 'verdict' | 'reason'> = {}) =>
  flaws.length === 0 ? ready(good, more) : notReady(flaws.join('; '), more);
