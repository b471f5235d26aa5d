/** What many runs came to. */
import type { Report } from './worker.ts';

export function summarize(reports: readonly Report[], seconds: number): string {
  const ends = count(reports.flatMap((report) => report.ends));
  const violations = count(
    reports.flatMap((report) => report.violations.map(({ invariant }) => `invariant ${invariant}`)),
  );
  const recoveries = reports.flatMap((report) => report.recoveries);
  const scenarios = [...new Set(recoveries.map(({ scenario }) => scenario))].sort();
  return [
    `${reports.length} runs in ${seconds.toFixed(0)} s: ${list(ends)}`,
    `faults that struck: ${list(count(reports.flatMap(({ struck }) => struck)))}`,
    ...scenarios.map((name) =>
      line(
        name,
        recoveries.filter(({ scenario }) => scenario === name),
      ),
    ),
    violations.size === 0 ? 'Every invariant held in every run.' : `VIOLATED: ${list(violations)}`,
  ].join('\n');
}

/** From the approval to a healthy application; of that, what came on top of the time in which services worked. */
function line(scenario: string, recoveries: Report['recoveries']): string {
  const totals = recoveries.map(({ totalSeconds }) => totalSeconds).sort((a, b) => a - b);
  const overheads = recoveries.map(({ overhead }) => overhead).sort((a, b) => a - b);
  const middle = (list: readonly number[]) => list[Math.floor(list.length / 2)] ?? Number.NaN;
  const own = ((middle(overheads) - 1) * 100).toFixed(0);
  const times = `${minutes(middle(totals))} from approval to a healthy application, at most ${minutes(totals.at(-1) ?? 0)}`;
  return `${scenario}: ${recoveries.length} × ${times}; the orchestration's own: ${own} % over the services' time`;
}

const minutes = (seconds: number): string => `${(seconds / 60).toFixed(1)} min`;

function count(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

const list = (counts: ReadonlyMap<string, number>): string =>
  [...counts].map(([name, number]) => `${number} ${name}`).join(', ');
