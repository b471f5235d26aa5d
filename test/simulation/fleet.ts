/** Many seeds at once: as many processes as there are cores, each of which runs one after another. */
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Report, Work } from './worker.ts';

/** Runs `seeds` and answers what came of them, in the order in which they ended; `onReport` hears of each at once. */
export async function runSeeds(
  seeds: readonly number[],
  place: Omit<Work, 'seed'>,
  onReport: (report: Report, done: number) => void = () => {},
): Promise<Report[]> {
  const reports: Report[] = [];
  const left = [...seeds];
  const worker = () =>
    new Promise<void>((resolve, reject) => {
      const child = fork(join(import.meta.dirname, 'worker.ts'), {
        stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
        // The parent's own flags (a test runner's loader, an inspector) are none of its.
        execArgv: [],
      });
      const feed = () => {
        const seed = left.shift();
        if (seed !== undefined) child.send({ ...place, seed } satisfies Work);
        else child.disconnect();
      };
      child.on('message', (report: Report) => {
        reports.push(report);
        onReport(report, reports.length);
        feed();
      });
      child.on('error', reject);
      child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a worker ended with ${code}`))));
      feed();
    });
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), left.length) }, worker));
  return reports;
}
