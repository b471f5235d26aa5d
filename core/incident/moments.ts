/** Moments are UTC text, so that PostgreSQL's microseconds survive; these functions compare and measure them. */
import { type Incident, Moment } from './contracts.ts';

/** Whether the text is a moment that the calendar has: JavaScript reads 31 February as 3 March. */
export function isRealMoment(text: string): boolean {
  if (!Moment.safeParse(text).success) return false;
  const parsed = new Date(text);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().slice(0, 19) === text.slice(0, 19);
}

const sortable = (moment: string) => {
  const [seconds = '', fraction = ''] = moment.slice(0, -1).split('.');
  return `${seconds}.${fraction.padEnd(6, '0')}`;
};

/** Whether `a` lies before `b`, to the microsecond. */
export const isBefore = (a: string, b: string): boolean => sortable(a) < sortable(b);

/** Seconds from `from` to `to`. */
export const secondsBetween = (from: string, to: string): number => (Date.parse(to) - Date.parse(from)) / 1000;

/** 47 s · 3 min 10 s · 1 h 05 min. */
export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${Number(seconds.toFixed(1))} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} min`;
}

/** A restore point as `--restore-to` takes it. */
export const asOption = (restoreTo: Incident['restoreTo']): string =>
  typeof restoreTo === 'object' ? Object.entries(restoreTo).flat().join(':') : restoreTo;

/** What is restored, in words. */
export function describeRestoreTo(restoreTo: Incident['restoreTo']): string {
  if (typeof restoreTo === 'object') return Object.entries(restoreTo).flat().join(' ');
  return restoreTo === 'latest' ? 'the latest restorable time' : restoreTo;
}
