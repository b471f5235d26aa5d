/** Schedule expressions: rate(), at() and AWS's six-field cron(), in UTC. */
import { AwsError } from '../../kernel.ts';

const invalid = (expression: string, reason = '') =>
  new AwsError('ValidationException', `Invalid Schedule Expression ${expression}.${reason && ` ${reason}`}`);

/**
 * The first time strictly after `after`; undefined when there is none. A rate counts from `anchor` (a schedule's start;
 * the epoch if not given). Throws ValidationException for what is no expression.
 */
export function nextTime(expression: string, after: Date, anchor: Date = new Date(0)): Date | undefined {
  const [, kind, body = ''] = /^(rate|at|cron)\((.*)\)$/.exec(expression) ?? [];
  switch (kind) {
    case 'rate':
      return nextRate(expression, body, after, anchor);
    case 'at':
      return nextAt(expression, body, after);
    case 'cron':
      return nextCron(parseCron(expression, body), after);
    default:
      throw invalid(expression);
  }
}

const UNIT_MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

function nextRate(expression: string, body: string, after: Date, anchor: Date): Date {
  const [, digits = '', unit = ''] = /^(\d+) (minute|hour|day)s?$/.exec(body) ?? [];
  const step = Number(digits) * (UNIT_MS[unit as keyof typeof UNIT_MS] ?? 0);
  if (!(step > 0)) throw invalid(expression);
  const passed = Math.floor((after.getTime() - anchor.getTime()) / step);
  return new Date(anchor.getTime() + Math.max(1, passed + 1) * step);
}

function nextAt(expression: string, body: string, after: Date): Date | undefined {
  const time = new Date(`${body}Z`);
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(body) && !Number.isNaN(time.getTime());
  if (!isTime || time.toISOString().slice(0, 19) !== body) throw invalid(expression);
  return time > after ? time : undefined;
}

interface Cron {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly months: ReadonlySet<number>;
  readonly years: ReadonlySet<number>;
  /** Whether a day (of a year and a month counted from 1) is chosen. */
  isDay(year: number, month: number, day: number): boolean;
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const LAST_YEAR = 2199;

function nextCron(cron: Cron, after: Date): Date | undefined {
  const startYear = after.getUTCFullYear();
  for (let year = startYear; year <= LAST_YEAR; year++) {
    if (!cron.years.has(year)) continue;
    for (let month = year === startYear ? after.getUTCMonth() + 1 : 1; month <= 12; month++) {
      if (!cron.months.has(month)) continue;
      for (let day = 1; day <= daysIn(year, month); day++) {
        if (Date.UTC(year, month - 1, day + 1) <= after.getTime() || !cron.isDay(year, month, day)) continue;
        const time = firstTimeOf(cron, year, month, day, after);
        if (time) return time;
      }
    }
  }
  return undefined;
}

function firstTimeOf(cron: Cron, year: number, month: number, day: number, after: Date): Date | undefined {
  for (const hour of cron.hours) {
    for (const minute of cron.minutes) {
      const time = new Date(Date.UTC(year, month - 1, day, hour, minute));
      if (time > after) return time;
    }
  }
  return undefined;
}

const daysIn = (year: number, month: number) => new Date(Date.UTC(year, month, 0)).getUTCDate();
/** 1 is Sunday, as in AWS's day-of-week field. */
const weekdayOf = (year: number, month: number, day: number) =>
  new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 1;

function parseCron(expression: string, body: string): Cron {
  const fields = body.trim().split(/\s+/);
  const [minutes = '', hours = '', dayOfMonth = '', months = '', dayOfWeek = '', years = ''] = fields;
  if (fields.length !== 6) throw invalid(expression, 'It needs six fields.');
  // "You can't specify the Day-of-month and Day-of-week fields in the same cron expression": one of them is `?`.
  if ((dayOfMonth === '?') === (dayOfWeek === '?')) {
    throw invalid(expression, 'Exactly one of the day-of-month and day-of-week fields must be ?.');
  }
  const numbers = (text: string, minimum: number, maximum: number, names: readonly string[] = []) =>
    parseField(expression, text, { minimum, maximum, names });
  return {
    minutes: [...numbers(minutes, 0, 59)].sort((a, b) => a - b),
    hours: [...numbers(hours, 0, 23)].sort((a, b) => a - b),
    months: numbers(months, 1, 12, MONTHS),
    years: numbers(years, 1970, LAST_YEAR),
    isDay: dayOfWeek === '?' ? dayOfMonthTest(dayOfMonth, numbers) : dayOfWeekTest(expression, dayOfWeek, numbers),
  };
}

type Numbers = (text: string, minimum: number, maximum: number, names?: readonly string[]) => ReadonlySet<number>;

/** `L` is the last day, `LW` the last weekday, `15W` the weekday closest to the 15th within its month. */
function dayOfMonthTest(text: string, numbers: Numbers): Cron['isDay'] {
  if (text === 'L') return (year, month, day) => day === daysIn(year, month);
  if (text === 'LW') return (year, month, day) => day === closestWeekday(year, month, daysIn(year, month));
  const [, nearest] = /^(\d{1,2})W$/.exec(text) ?? [];
  if (nearest) {
    const [wanted = 0] = numbers(nearest, 1, 31);
    return (year, month, day) => wanted <= daysIn(year, month) && day === closestWeekday(year, month, wanted);
  }
  const days = numbers(text, 1, 31);
  return (_year, _month, day) => days.has(day);
}

function closestWeekday(year: number, month: number, day: number): number {
  const weekday = weekdayOf(year, month, day);
  if (weekday === 7) return day > 1 ? day - 1 : day + 2;
  if (weekday === 1) return day < daysIn(year, month) ? day + 1 : day - 2;
  return day;
}

/** `6L` is the month's last Friday, `L` Saturday, `3#2` the second Tuesday. */
function dayOfWeekTest(expression: string, text: string, numbers: Numbers): Cron['isDay'] {
  const weekdayIn = (name: string) => [...numbers(name, 1, 7, WEEKDAYS)][0];
  const [, last] = /^(\w+)L$/.exec(text) ?? [];
  if (last) {
    const weekday = weekdayIn(last);
    return (year, month, day) => weekdayOf(year, month, day) === weekday && day + 7 > daysIn(year, month);
  }
  const [, name, nth] = /^(\w+)#(\d)$/.exec(text) ?? [];
  if (name && nth) {
    if (Number(nth) < 1 || Number(nth) > 5) throw invalid(expression);
    const weekday = weekdayIn(name);
    return (year, month, day) => weekdayOf(year, month, day) === weekday && Math.ceil(day / 7) === Number(nth);
  }
  const weekdays = numbers(text === 'L' ? '7' : text, 1, 7, WEEKDAYS);
  return (year, month, day) => weekdays.has(weekdayOf(year, month, day));
}

interface Range {
  readonly minimum: number;
  readonly maximum: number;
  readonly names: readonly string[];
}

/** Lists, ranges (which may wrap, as FRI-MON), steps and names. */
function parseField(expression: string, text: string, { minimum, maximum, names }: Range): ReadonlySet<number> {
  const numberOf = (word: string) => {
    const named = names.indexOf(word.toUpperCase());
    const number = named >= 0 ? named + 1 : Number(/^\d+$/.test(word) ? word : Number.NaN);
    if (!(number >= minimum && number <= maximum))
      throw invalid(expression, `${word} is not in ${minimum}-${maximum}.`);
    return number;
  };
  const chosen = new Set<number>();
  for (const part of text.split(',')) {
    const [range = '', step] = part.split('/');
    const [first = '', last] = range === '*' ? [String(minimum), String(maximum)] : range.split('-');
    const from = numberOf(first);
    const to = last !== undefined ? numberOf(last) : step ? maximum : from;
    const by = step === undefined ? 1 : Number(/^[1-9]\d*$/.test(step) ? step : Number.NaN);
    if (Number.isNaN(by) || part.split('/').length > 2) throw invalid(expression);
    const length = to >= from ? to - from : to - from + (maximum - minimum + 1);
    for (let offset = 0; offset <= length; offset += by) {
      chosen.add(((from - minimum + offset) % (maximum - minimum + 1)) + minimum);
    }
  }
  return chosen;
}
