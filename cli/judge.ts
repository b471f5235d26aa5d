/** What a drill proved, and every reason why it did not pass: the product's own report, against the independent measurement. */
import type { Measured, Report } from '../core/evidence/contracts.ts';
import type { Ended } from './follow.ts';
import type { LossMeasurement } from './measure.ts';

export interface Measurement {
  readonly ended: Ended;
  /** Undefined where there was no restored copy to compare with. */
  readonly loss: LossMeasurement | undefined;
  /** Why the copy could not be read. */
  readonly unread?: string | undefined;
  /** Writes that clients were told of, and requests that failed. */
  readonly acknowledged: number;
  readonly failures: number;
  readonly clockFactor: number;
  /** Emails that were delivered, oldest first. */
  readonly mails: readonly { readonly to: string; readonly subject: string }[];
}

/** Every reason why the drill did not pass; none: it passed. */
export function objectionsTo(report: Report, { loss, ended, unread, mails }: Measurement): string[] {
  const { failure } = report;
  const objections: string[] = [];
  if (failure) objections.push(`${failure.step ?? 'The recovery'} failed: ${failure.name}`);
  else if (ended.status !== 'SUCCEEDED')
    objections.push(`the recovery ended ${ended.status} ${ended.error ?? ''}`.trim());
  // What a failure kept from being measured is no reason of its own.
  for (const { name, met } of report.objectives)
    if (met === 'missed' || (met === 'unknown' && !failure)) objections.push(`the objective ${name} is ${met}`);
  for (const { check, subject, verdict, reason } of report.validation)
    if (verdict !== 'passed') objections.push(`${check} of ${subject || 'the copy'}: ${verdict}, ${reason}`);
  if (!failure && report.validation.length === 0) objections.push('nothing was validated');
  if (!failure && mails.length === 0) objections.push('nobody was told');
  if (loss) objections.push(...objectionsOfLedger(loss));
  else if (!failure)
    objections.push(`the restored copy could not be compared with the ledger${unread ? `: ${unread}` : ''}`);
  return objections;
}

function objectionsOfLedger({ verdict }: LossMeasurement): string[] {
  const { provenPresent, missing, surplus, inverted } = verdict;
  return [
    ...(provenPresent === 0 ? ['the ledger proves no write present'] : []),
    ...(missing.length > 0 ? [`${missing.length} acknowledged writes are missing from the copy`] : []),
    ...(surplus.length > 0 ? [`${surplus.length} writes from after the restore are in the copy`] : []),
    ...(inverted.length > 0 ? [`${inverted.length} writes are missing that are older than others in the copy`] : []),
  ];
}

const seconds = (value: number) => `${value.toFixed(1)} s`;

/** The measurement as the report shows it. */
export function measuredOf({ loss, acknowledged, failures, clockFactor, mails }: Measurement): Measured {
  const addressees = [...new Set(mails.map(({ to }) => to))];
  return {
    by: 'the ledger of the workload’s clients',
    clockFactor,
    facts: [
      { label: 'acknowledged writes', value: acknowledged },
      { label: 'failed requests', value: failures, note: 'a drill does not touch production' },
      ...(loss ? lossFacts(loss) : []),
      {
        label: 'emails delivered',
        value: mails.length,
        ...(addressees.length > 0 ? { note: `to ${addressees.join(', ')}` } : {}),
      },
    ],
  };
}

function lossFacts({ verdict, bounds, lossSeconds, estimatedSeconds }: LossMeasurement): Measured['facts'] {
  const moment = (epoch: number) => new Date(epoch).toISOString();
  const exact = bounds.notBefore === bounds.notAfter;
  return [
    { label: 'proven present', value: verdict.provenPresent, note: `acknowledged before ${moment(bounds.notBefore)}` },
    { label: 'proven absent', value: verdict.provenAbsent, note: `sent after ${moment(bounds.notAfter)}` },
    { label: 'missing', value: verdict.missing.length, note: 'must be 0' },
    { label: 'surplus', value: verdict.surplus.length, note: 'must be 0' },
    {
      label: 'out of order',
      value: verdict.inverted.length,
      note: 'missing, but older than a write that is there: must be 0',
    },
    {
      label: 'undetermined',
      value: verdict.undetermined,
      note: exact
        ? 'in flight at the restore point'
        : 'between these: a restore to the latest time may go further than planned',
    },
    ...(lossSeconds === undefined ? [] : [lossFact(lossSeconds)]),
    ...(lossSeconds === undefined || estimatedSeconds === undefined ? [] : [errorFact(lossSeconds, estimatedSeconds)]),
  ];
}

function lossFact(lossSeconds: number): Measured['facts'][number] {
  const label = 'loss by the ledger';
  if (lossSeconds >= 0) return { label, value: seconds(lossSeconds), note: 'newest write in the copy to detection' };
  return { label, value: 'none', note: `the copy reaches ${seconds(-lossSeconds)} past detection` };
}

/** Both measured to the same detection, so that the error is theirs even where the restore point lies after it. */
function errorFact(lossSeconds: number, estimatedSeconds: number): Measured['facts'][number] {
  const error = estimatedSeconds - lossSeconds;
  const side = error < 0 ? 'less' : 'more';
  return {
    label: 'error of the estimate',
    value: seconds(Math.abs(error)),
    note: `the newest restored heartbeat says that much ${side} than the ledger`,
  };
}
