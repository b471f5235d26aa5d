/** Whether the day has its backup: not due yet, late, missed, failed, or good. Pure. */
import { isBefore, secondsBetween } from '../incident/moments.ts';
import type { Settings } from '../settings.ts';
import type { BackupRecord } from './contracts.ts';

export interface DayVerdict {
  readonly verdict: 'good' | 'waiting' | 'late' | 'missed' | 'failed';
  /** The time at which the backup was to begin. */
  readonly due: string;
  readonly why: string;
}

interface Now {
  readonly now: string;
  readonly since: string;
  readonly backup: Settings['backup'];
}

/** The newest one first. */
type Runs = readonly Pick<BackupRecord, 'run' | 'verdict' | 'finishedAt'>[];

/**
 * `since`: from when on the active database is here; what was due before was the other Region's. While today's backup may
 * still come, yesterday's verdict stands, so that a day that failed rings until a good backup ends it. A proof that
 * failed rings until one passes.
 */
export function judgeDay(runs: Runs, at: Now): DayVerdict {
  const day = judgeBackup(runs, at);
  const unproven = proofs.map((task) => runs.find(({ run }) => run.task === task)).find(hasFailed);
  if (unproven === undefined || (day.verdict !== 'good' && day.verdict !== 'waiting')) return day;
  return { verdict: 'failed', due: day.due, why: `the proof ${unproven.run.id} failed at ${unproven.finishedAt}` };
}

const proofs = ['prove', 'prove-dump'] as const;
const hasFailed = (run: Runs[number] | undefined) => run?.verdict === 'failed';

function judgeBackup(runs: Runs, { now, since, backup }: Now): DayVerdict {
  const due = lastDue(now, backup.dailyAt);
  const today = judgeDue(runs, due, now, since, backup);
  if (today.verdict !== 'waiting') return today;
  const yesterday = new Date(Date.parse(due) - dayMs).toISOString();
  const before = judgeDue(runs, yesterday, now, since, backup);
  return before.verdict === 'good' ? today : before;
}

function judgeDue(runs: Runs, due: string, now: string, since: string, backup: Settings['backup']): DayVerdict {
  if (isBefore(due, since))
    return { verdict: 'good', due, why: `the active database is here since ${since}, after it was due` };
  const ofDay = runs.filter(({ run }) => run.task === 'backup' && !isBefore(run.startedAt, due));
  const good = ofDay.find(({ verdict }) => verdict === 'succeeded');
  if (good) return { verdict: 'good', due, why: `${good.run.id} succeeded at ${good.finishedAt}` };
  const [failed] = ofDay;
  if (failed) return { verdict: 'failed', due, why: `${failed.run.id} failed at ${failed.finishedAt}` };
  const overdue = secondsBetween(due, now);
  const why = `nothing of the backup due at ${due} is on record`;
  if (overdue >= backup.missedSeconds) return { verdict: 'missed', due, why };
  return { verdict: overdue >= backup.lateSeconds ? 'late' : 'waiting', due, why };
}

const dayMs = 86_400_000;

/** The newest time of day `hh:mm` at or before a moment, in UTC. */
function lastDue(now: string, dailyAt: string): string {
  const today = `${now.slice(0, 10)}T${dailyAt}:00.000Z`;
  return isBefore(now, today) ? new Date(Date.parse(today) - dayMs).toISOString() : today;
}
