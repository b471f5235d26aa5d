/**
 * How long services take in the simulation: a median and a 95th percentile, drawn log-normally, because AWS promises none.
 * `source` says where a figure is from; `assumed` are ours, on the slow side of what is reported for small databases.
 */
import type { Draw } from './random.ts';

export interface Duration {
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly source: string;
}

const [second, minute] = [1000, 60_000];
const assumed = 'assumed: AWS publishes no figure';

export const durations = {
  request: { medianMs: 8, p95Ms: 60, source: 'assumed: requests to regional endpoints from within the Region' },
  coldStart: {
    medianMs: 350,
    p95Ms: 1_100,
    source: 'Lambda Developer Guide, execution environment: cold starts take from under 100 ms to over 1 second',
  },
  containerStart: { medianMs: 6 * second, p95Ms: 25 * second, source: 'assumed: image present on the node' },
  create: { medianMs: 6 * minute, p95Ms: 12 * minute, source: assumed },
  restore: {
    medianMs: 6 * minute,
    p95Ms: 18 * minute,
    source:
      'assumed; RDS User Guide: depends on the amount of log to apply; expectedRestoreSeconds of production is 1,800',
  },
  replicate: {
    medianMs: 9 * minute,
    p95Ms: 25 * minute,
    source: 'assumed; RDS User Guide: a snapshot of the source is taken and copied to the other Region',
  },
  backup: { medianMs: 2 * minute, p95Ms: 6 * minute, source: assumed },
  start: {
    medianMs: 25 * second,
    p95Ms: 70 * second,
    source: 'assumed; RDS User Guide: a reboot depends on crash recovery',
  },
  stop: { medianMs: 5 * second, p95Ms: 15 * second, source: assumed },
  promote: {
    medianMs: 4 * minute,
    p95Ms: 9 * minute,
    source: 'RDS User Guide: promotion can take several minutes or longer',
  },
  replicaLag: {
    medianMs: 1_500,
    p95Ms: 8_000,
    source: 'assumed: what one commit takes to a replica in another Region that keeps up',
  },
  statement: { medianMs: 4, p95Ms: 40, source: 'assumed: the reference database of tests' },
} satisfies Record<string, Duration>;

export type DurationName = keyof typeof durations;

/** Milliseconds, at least one. */
export function draw(name: DurationName, chance: Draw): number {
  const { medianMs, p95Ms } = durations[name];
  return Math.max(1, Math.round(chance.logNormal(medianMs, p95Ms)));
}
