/** ReportReadiness: judges what was seen, keeps it, and says it to CloudWatch, whose alarms tell people. */
import type { Metrics } from '../database/ports.ts';
import { recordVersion } from '../incident/contracts.ts';
import type { Clock } from '../incident/ports.ts';
import type { Settings } from '../settings.ts';
import type { ReadinessRecord, ReadinessRun } from './contracts.ts';
import type { Looked } from './facts.ts';
import { factsIn, judge } from './judge.ts';
import type { ReadinessRecords } from './ports.ts';

export interface ReportReadinessContext {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly readiness: Pick<ReadinessRecords, 'record'>;
  readonly metrics: Metrics;
}

export type Reported = Pick<ReadinessRecord, 'verdict' | 'scenarios'> & { readonly summary: string };

export async function reportReadiness(
  { run, looked }: { run: ReadinessRun; looked: readonly Looked[] },
  { settings, clock, readiness, metrics }: ReportReadinessContext,
): Promise<Reported> {
  const at = clock.now().toISOString();
  const judgement = judge(factsIn(looked), { settings, run, now: at });
  const record: ReadinessRecord = { version: recordVersion, run, at, ...judgement };
  await readiness.record(record);
  await metrics.put(metricsOf(record));
  const { verdict, scenarios, checks } = record;
  const wrong = checks.filter((each) => each.verdict === 'not-ready' || each.verdict === 'unknown');
  const summary = wrong.map((each) => `${each.check} is ${each.verdict}: ${each.reason}`).join('; ') || 'all is ready';
  return { verdict, scenarios, summary };
}

/** A check that does not apply, or is unknown, is not known to be wrong: the alarm of what is unknown is one for all. */
function metricsOf({ checks, scenarios }: ReadinessRecord): Parameters<Metrics['put']>[0] {
  const unknown = checks.filter(({ verdict }) => verdict === 'unknown').length;
  return [
    { name: 'ReadinessLooked', value: 1, unit: 'Count' },
    { name: 'ReadinessUnknown', value: unknown, unit: 'Count' },
    ...checks.map(({ check, verdict }) => ({
      name: 'CheckNotReady',
      value: verdict === 'not-ready' ? 1 : 0,
      unit: 'Count' as const,
      dimensions: { Check: check },
    })),
    ...scenarios.map(({ scenario, score }) => ({
      name: 'ReadinessScore',
      value: score,
      unit: 'Percent' as const,
      dimensions: { Scenario: scenario },
    })),
  ];
}
