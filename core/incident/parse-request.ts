/** Reads what a person, a schedule or triage asked for; every mistake is named with its field, its value and its fix. */
import * as z from 'zod';
import { dumpExample } from '../database/dump/names.ts';
import { Mode, Moment, RestoreTo, Scope, StartRequest, TableName, Trigger, Waiver } from './contracts.ts';
import { InvalidRequest } from './errors.ts';
import { isIncidentId } from './identifiers.ts';
import { isBefore, isRealMoment } from './moments.ts';

export interface Problem {
  readonly field: string;
  readonly value: unknown;
  readonly problem: string;
  readonly fix: string;
}

/** What a request is checked against. */
interface Surroundings {
  readonly environment: string;
  readonly now: string;
  /** Who starts a recovery may not approve it, so it must say who that is. */
  readonly mustNameStarter: boolean;
}

/** The request as contract; throws InvalidRequest listing every problem. */
export function parseRequest(raw: unknown, { environment, now, mustNameStarter }: Surroundings): StartRequest {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
    throw invalidRequest([{ field: 'input', value: raw, problem: 'is not a JSON object', fix: example(environment) }]);
  const input = { ...raw } as Readonly<Record<string, unknown>>;
  const problems = [
    ...Object.keys(input).flatMap((name) => unknownField(name, input[name], environment)),
    ...fieldProblems(input, now),
    ...confirmProblems(input, environment),
    ...(mustNameStarter ? starterProblems(input) : []),
  ];
  if (problems.length > 0) throw invalidRequest(problems);
  return StartRequest.parse(input);
}

/** One error for all the problems, so that a person corrects them at once. */
export function invalidRequest(problems: readonly Problem[]) {
  const lines = problems.map(({ field, value, problem, fix }) => `${field} = ${show(value)} ${problem}. ${fix}`);
  return InvalidRequest(lines.join('\n'), { details: { problems } });
}

const show = (value: unknown): string => {
  const text = value === undefined ? '(missing)' : JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
};

const example = (environment: string) =>
  `Start with for example {"mode": "drill", "reason": "monthly restore test"}; a recovery also needs "confirm": "${environment}".`;

const known = Object.keys(StartRequest.shape);

function unknownField(name: string, value: unknown, environment: string): Problem[] {
  if (known.includes(name)) return [];
  const near = nearest(name, known);
  const fix = near ? `Did you mean ${near}?` : `Known fields: ${known.join(', ')}. ${example(environment)}`;
  return [{ field: name, value, problem: 'is not a field of this input', fix }];
}

function fieldProblems(input: Readonly<Record<string, unknown>>, now: string): Problem[] {
  const { mode, reason, target, restoreTo, requestId, confirm, incident, trigger } = input;
  const checks: readonly (readonly [field: string, value: unknown, ok: boolean, problem: string, fix: string])[] = [
    ['mode', mode, isAbsentOr(Mode, mode), 'is no mode', 'Use "drill" (also when left out) or "recovery".'],
    [
      'reason',
      reason,
      StartRequest.shape.reason.safeParse(reason).success,
      'does not say why',
      'Give one sentence of at most 500 characters; it heads every message and the report.',
    ],
    [
      'target',
      target,
      isAbsentOr(StartRequest.shape.target, target),
      'is no database',
      'Leave it out to mean the active database, or give its identifier.',
    ],
    [
      'requestId',
      requestId,
      isAbsentOr(StartRequest.shape.requestId, requestId),
      'is no request id',
      'Use 1 to 64 letters, digits, hyphens or underscores; the same id never starts twice.',
    ],
    [
      'confirm',
      confirm,
      confirm === undefined || typeof confirm === 'string',
      'is no text',
      'Give the environment’s name as text.',
    ],
    [
      'incident',
      incident,
      incident === undefined || (typeof incident === 'string' && isIncidentId(incident)),
      'is no incident id',
      'Leave it out to start a new incident, or give the id of a failed one, such as recovery-20261122T201500Z-1a2b3c4d.',
    ],
  ];
  return [
    ...checks.flatMap(([field, value, ok, problem, fix]) => (ok ? [] : [{ field, value, problem, fix }])),
    ...restoreToProblems(restoreTo, now),
    ...scopeProblems(input),
    ...waiverProblems(input),
    ...triggerProblems(trigger, now),
  ];
}

interface Schema {
  safeParse(value: unknown): { success: boolean };
}
const isAbsentOr = (schema: Schema, value: unknown) => value === undefined || schema.safeParse(value).success;

function restoreToProblems(value: unknown, now: string): Problem[] {
  const field = 'restoreTo';
  if (value === undefined || value === 'latest') return [];
  if (typeof value !== 'string')
    return RestoreTo.safeParse(value).success
      ? []
      : [
          {
            field,
            value,
            problem: 'is no restore point',
            fix: `Use "latest", a UTC time such as "2026-11-22T13:05:00Z", {"snapshot": "<snapshot identifier>"} or {"dump": "${dumpExample}"}.`,
          },
        ];
  if (!isRealMoment(value))
    return [{ field, value, problem: 'is not "latest" and no UTC time', fix: utcHint(value, now) }];
  if (isBefore(value, now)) return [];
  return [{ field, value, problem: `lies in the future (now ${now})`, fix: 'Use an earlier time, or "latest".' }];
}

/** A time with an offset is what people paste from logs: say what it is in UTC. */
function utcHint(value: string, now: string): string {
  const looksLikeTime = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)? ?(Z|[+-]\d\d:?\d\d)$/.test(value);
  const parsed = looksLikeTime ? new Date(value) : undefined;
  const utc = parsed && !Number.isNaN(parsed.getTime()) ? parsed.toISOString() : undefined;
  return `Write it as ${(utc ?? now).replace(/\.\d+/, '')}: date, T, time to the second, Z${utc ? ' (the same time in UTC)' : ''}.`;
}

const scopeFix = 'Use {"tables": ["stocker.product"]}, each as schema.table; leave it out to mean the whole database.';

/** Which of the tables there are, the assessment finds: only it can ask the database. */
function scopeProblems({ scope, mode, incident }: Readonly<Record<string, unknown>>): Problem[] {
  if (scope === undefined) return [];
  const refuse = (problem: string, fix: string, field = 'scope', value: unknown = scope) => [
    { field, value, problem, fix },
  ];
  if (mode !== 'recovery')
    return refuse(
      'is not for a drill, which restores and validates the whole database',
      'Leave it out, or set "mode": "recovery".',
    );
  if (incident !== undefined)
    return refuse(
      'cannot be given anew: a retry keeps what its incident was about',
      'Leave it out, or start a new recovery.',
    );
  const given = Scope.extend({ tables: z.array(z.unknown()) }).safeParse(scope);
  if (!given.success) return refuse('names no tables', scopeFix);
  const { tables } = given.data;
  const each = tables.flatMap((table, index) => {
    const field = `scope.tables[${index}]`;
    if (!TableName.safeParse(table).success)
      return refuse('is no table', 'Write it as schema.table, such as stocker.product.', field, table);
    if (/^"?(pg_|information_schema|stocker_dr\b)/.test(String(table)))
      return refuse('is not the application’s', 'Name tables of the application only.', field, table);
    if (tables.indexOf(table) < index) return refuse('is named twice', 'Name it once.', field, table);
    return [];
  });
  return each.length > 0 || Scope.safeParse(scope).success ? each : refuse('names none, or more than 50', scopeFix);
}

function triggerProblems(value: unknown, now: string): Problem[] {
  const field = 'trigger';
  const parsed = Trigger.optional().safeParse(value);
  if (!parsed.success)
    return [
      {
        field,
        value,
        problem: 'is no trigger',
        fix: 'Leave it out; schedules and alarms give {"kind", "name", "at": UTC time}.',
      },
    ];
  const at = parsed.data?.at;
  if (at === undefined || (Moment.safeParse(at).success && isRealMoment(at) && !isBefore(now, at))) return [];
  return [
    { field: 'trigger.at', value: at, problem: `is no past time (now ${now})`, fix: 'Give when it was detected.' },
  ];
}

function waiverProblems({ waiver, incident }: Readonly<Record<string, unknown>>): Problem[] {
  if (waiver === undefined) return [];
  const refuse = (problem: string, fix: string) => [{ field: 'waiver', value: waiver, problem, fix }];
  if (!Waiver.safeParse(waiver).success)
    return refuse(
      'does not say what is waived, by whom and why',
      'Give {"checks": ["row-floors"], "by": "<who answers for it>", "reason": "<one sentence>"}.',
    );
  if (incident !== undefined) return [];
  return refuse(
    'waives what nobody has seen fail',
    'Leave it out; where the gate then stops the recovery, take its incident up again ("incident") with the checks that it named.',
  );
}

function confirmProblems(input: Readonly<Record<string, unknown>>, environment: string): Problem[] {
  if (input.mode !== 'recovery' || input.confirm === environment) return [];
  return [
    {
      field: 'confirm',
      value: input.confirm,
      problem: 'does not confirm a recovery of production data',
      fix: `Set "confirm": "${environment}", or "mode": "drill" to rehearse.`,
    },
  ];
}

function starterProblems({ mode, trigger }: Readonly<Record<string, unknown>>): Problem[] {
  const parsed = Trigger.default({ kind: 'person' }).safeParse(trigger);
  if (mode !== 'recovery' || !parsed.success || parsed.data.kind !== 'person' || parsed.data.name) return [];
  return [
    {
      field: 'trigger.name',
      value: undefined,
      problem: 'does not say who starts, and who starts a recovery may not approve it',
      fix: 'Give "trigger": {"kind": "person", "name": "<your ARN, from aws sts get-caller-identity>"}.',
    },
  ];
}

/** The known name within two edits, ignoring case; undefined where none is that near. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const [best] = names
    .map((each) => ({ each, distance: editDistance(name.toLowerCase(), each.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  return best && best.distance <= 2 ? best.each : undefined;
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [index, left] of [...a].entries()) {
    const next = [index + 1];
    for (const [column, right] of [...b].entries())
      next.push(
        Math.min((next[column] ?? 0) + 1, (row[column + 1] ?? 0) + 1, (row[column] ?? 0) + (left === right ? 0 : 1)),
      );
    row = next;
  }
  return row[b.length] ?? 0;
}
