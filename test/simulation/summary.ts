/** What many runs came to. */
import type { Report } from './worker.ts';

export function summarize(reports: readonly Report[], seconds: number): string {
  const ends = count(reports.flatMap((report) => report.ends));
  const violations = count(
    reports.flatMap((report) => report.violations.map(({ invariant }) => `invariant ${invariant}`)),
  );
  const recoveries = reports.flatMap((report) => report.recoveries);
  const totals = recoveries.map(({ totalSeconds }) => totalSeconds).sort((a, b) => a - b);
  const overheads = recoveries.map(({ overhead }) => overhead).sort((a, b) => a - b);
  const middle = (list: readonly number[]) => list[Math.floor(list.length / 2)] ?? Number.NaN;
  return [
    `${reports.length} runs in ${seconds.toFixed(0)} s: ${list(ends)}`,
    ...(totals.length === 0
      ? []
      : [
          `${totals.length} recoveries: from approval to a healthy application ${minutes(middle(totals))}, at most ${minutes(totals.at(-1) ?? 0)}`,
          `of which the orchestration's own: ${((middle(overheads) - 1) * 100).toFixed(0)} % over the time that services took`,
        ]),
    violations.size === 0 ? 'Every invariant held in every run.' : `VIOLATED: ${list(violations)}`,
  ].join('\n');
}

const minutes = (seconds: number): string => `${(seconds / 60).toFixed(1)} min`;

function count(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

const list = (counts: ReadonlyMap<string, number>): string =>
  [...counts].map(([name, number]) => `${number} ${name}`).join(', ');
