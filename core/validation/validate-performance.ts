/** ValidatePerformance: the restored copy is fast enough for the application, by limit and by the last green run. */
import type { Candidate } from '../database/contracts.ts';
import type { Parameters } from '../database/ports.ts';
import { targetOf } from '../database/target.ts';
import type { Incident } from '../incident/contracts.ts';
import type { Clock } from '../incident/ports.ts';
import type { Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import { openApi } from './api.ts';
import { PerformanceRefused } from './errors.ts';
import type { Http, PerformanceBaselines } from './ports.ts';

type Limits = Settings['validation']['performance'];

export interface PerformanceContext {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly http: Http;
  readonly parameters: Pick<Parameters, 'read'>;
  readonly performance: PerformanceBaselines;
}

export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** Nearest-rank percentiles of at least one duration. */
export function percentilesOf(milliseconds: readonly number[]): Percentiles {
  const sorted = [...milliseconds].sort((a, b) => a - b);
  const rank = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
  return { p50: rank(0.5), p95: rank(0.95), p99: rank(0.99) };
}

/** What a comparison with the baseline tolerates in any case: below a quarter of the limit, a factor measures noise. */
const noiseShare = 0.25;

/** Why these percentiles are refused; undefined: they are not. Pure. */
export function refusePerformance(
  { p95 }: Percentiles,
  limits: Limits,
  baselineP95: number | undefined,
): string | undefined {
  if (!(p95 <= limits.p95Milliseconds))
    return `p95 is ${p95.toFixed(1)} ms, over the limit of ${limits.p95Milliseconds} ms`;
  if (baselineP95 === undefined) return undefined;
  const allowed = Math.max(baselineP95 * limits.baselineFactor, limits.p95Milliseconds * noiseShare);
  if (p95 <= allowed) return undefined;
  return `p95 is ${p95.toFixed(1)} ms; ${baselineP95.toFixed(1)} ms in the last green run allow ${allowed.toFixed(1)} ms`;
}

export async function validatePerformance(
  { incident, candidate }: { incident: Incident; candidate: Candidate },
  { settings, clock, http, parameters, performance }: PerformanceContext,
): Promise<StepResult<{ p95Milliseconds: number }>> {
  const limits = settings.validation.performance;
  const target = targetOf(incident, settings);
  const api = await openApi(target, { http, parameters });
  const ask = () => api.expect(200, 'GET', '/products?limit=20');
  // aws-facts: blocks of a restored instance load lazily from S3; the first reads measure S3.
  for (let sent = 0; sent < limits.warmUpRequests; sent += 1) await ask();
  const milliseconds: number[] = [];
  // Once more than 5 in 100 are over the limit, no further request can bring p95 below it: a slow copy must not run out
  // the function's time and end as a time-out that says nothing.
  const tolerated = Math.floor(limits.requests * 0.05);
  const areTooSlow = () => milliseconds.filter((each) => each > limits.p95Milliseconds).length > tolerated;
  while (milliseconds.length < limits.requests && !areTooSlow()) milliseconds.push((await ask()).elapsedMilliseconds);
  const percentiles = percentilesOf(milliseconds);
  const { cluster, namespace, name } = target.deployment;
  const deployment = `${cluster}/${namespace}/${name}`;
  const baseline = await performance.read(deployment);
  const facts = {
    ...percentiles,
    requests: milliseconds.length,
    limit: limits.p95Milliseconds,
    baseline: baseline ?? 'none',
  };
  const refusal = refusePerformance(percentiles, limits, baseline);
  if (refusal !== undefined) throw PerformanceRefused(`${candidate.identifier}: ${refusal}.`, { details: facts });
  await performance.write(deployment, percentiles.p95, clock.now().toISOString());
  return {
    output: { p95Milliseconds: percentiles.p95 },
    summary: `p95 ${percentiles.p95.toFixed(1)} ms over ${milliseconds.length} requests`,
    facts,
  };
}
