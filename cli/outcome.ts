/** What the operator reads at the end of a drill: the verdict, the table, who was told, where the reports are, what is next. */

import { join } from 'node:path';
import { readFailure } from '../core/errors.ts';
import { restoresNoData } from '../core/incident/identifiers.ts';
import type { Ended } from './follow.ts';
import type { Measurement } from './judge.ts';
import type { Judged } from './report.ts';
import { duration, type Screen } from './screen.ts';

/** The report as JSON on standard output, for programs. */
export const print = (value: unknown) => process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);

export function showOutcome(
  { report, objections }: Judged,
  { mails }: Pick<Measurement, 'mails'>,
  directory: string,
  screen: Screen,
): void {
  const passed = objections.length === 0;
  const what = report.record.incident.mode === 'drill' ? 'The drill' : 'The rehearsal of a recovery';
  screen.heading(passed ? screen.good(`${what} passed.`) : screen.bad(`${what} did not pass.`));
  for (const objection of objections) screen.text(objection);
  if (report.failure) {
    screen.text(report.failure.message);
    screen.text(`Next: ${report.failure.next}`);
  }
  screen.line();
  screen.table(rowsOf(report));
  if (mails.length > 0) {
    screen.heading('Who was told');
    for (const { to, subject } of mails) screen.text(`${to}: ${subject}`);
  }
  screen.heading('Reports');
  screen.line(`  ${join(directory, 'report.html')}`);
  screen.line(`  ${join(directory, 'report.json')}`);
  if (!report.failure)
    screen.text(
      passed
        ? 'Next: open report.html and finish its review.'
        : 'Next: open report.html; what did not pass comes first.',
    );
}

const longestValue = 12;

function rowsOf({ objectives, validation, measured, record }: Judged['report']): string[][] {
  const count = (verdict: string) => validation.filter((each) => each.verdict === verdict).length;
  const clockFactor = measured?.clockFactor ?? 1;
  return [
    ['', 'objective', 'achieved', ''],
    ...objectives.map(({ name, objectiveSeconds, achievedSeconds, met, basis }) => [
      name,
      duration(objectiveSeconds),
      achievedSeconds === undefined ? 'unknown' : duration(achievedSeconds),
      `${met}: ${basis}`,
    ]),
    // Of a cluster no database is validated.
    ...(restoresNoData(record.incident)
      ? []
      : [
          [
            'validation',
            'all pass',
            `${count('passed')} of ${validation.length}`,
            `${count('failed')} failed, ${count('unknown')} unknown`,
          ],
        ]),
    ...(measured?.facts ?? []).map(({ label, value, note = '' }) =>
      // A long value would leave the notes no room.
      String(value).length > longestValue ? [label, '', '', `${value}: ${note}`] : [label, '', String(value), note],
    ),
    [
      'clock',
      '',
      `× ${clockFactor}`,
      clockFactor === 1 ? 'as on AWS' : 'waits of AWS are divided by this; timestamps are real',
    ],
  ];
}

/** The machine refused the request before an incident was opened: there is no report, and nothing to undo. */
export function refusalOf({ error = '', cause = '', status }: Ended) {
  const { message, next } = readFailure({ Error: error, Cause: cause });
  return { outcome: 'The drill did not start', failure: { name: error || status, message, next } };
}

export function showRefusal({ outcome, failure }: ReturnType<typeof refusalOf>, screen: Screen): void {
  screen.heading(screen.bad(`${outcome}: ${failure.name}`));
  screen.text(failure.message);
  screen.text(`Next: ${failure.next}`);
}
