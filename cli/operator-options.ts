/** Options of the commands that work on a deployed installation: AWS, or whatever AWS_ENDPOINT_URL names. */
import { configurationOf } from '../config/index.ts';
import { type RestoreTo, RestoreTo as RestoreToSchema, TableName } from '../core/incident/contracts.ts';
import { isIncidentId } from '../core/incident/identifiers.ts';
import { CheckName } from '../core/validation/contracts.ts';
import { UsageError } from './exit-codes.ts';
import { environmentOf, parse } from './options.ts';

export interface OperatorOptions {
  readonly environment: string;
  /** Region of the state machine and its incidents; without one, that of the active database. */
  readonly region: string | undefined;
}
export interface ReadinessOptions extends OperatorOptions {
  /** Looks now, instead of telling what the last look found. */
  readonly run: boolean;
}
export interface DebtOptions extends OperatorOptions {
  /** Imports what is production into Terraform's state, instead of showing the debt. */
  readonly close: boolean;
}
export interface WatchOptions extends OperatorOptions {
  readonly incident: string | undefined;
}
export interface DecisionOptions extends OperatorOptions {
  readonly incident: string;
  readonly reason: string;
  readonly restoreTo: RestoreTo | undefined;
}
export interface CancelOptions extends OperatorOptions {
  readonly incident: string;
  readonly reason: string;
  /** Does not ask. */
  readonly yes: boolean;
}
export interface RetryOptions extends OperatorOptions {
  readonly incident: string;
  readonly reason: string;
  readonly restoreTo: RestoreTo | undefined;
  /** Validation checks that may not stop it, on the caller's word. */
  readonly waive: readonly string[];
}
export interface StartOptions extends OperatorOptions {
  readonly scenario: 'database' | 'cluster' | 'configuration';
  readonly mode: 'drill' | 'recovery';
  readonly reason: string;
  readonly restoreTo: RestoreTo | undefined;
  /** Only these, in production as it is; without them the whole database. */
  readonly tables: readonly string[] | undefined;
  readonly requestId: string | undefined;
  readonly confirm: string | undefined;
}

/** Production moves to the other Region, or comes home. */
export interface MoveOptions {
  readonly environment: string;
  readonly mode: 'drill' | 'recovery';
  readonly style: 'graceful' | 'ungraceful';
  readonly reason: string;
  readonly confirm: string | undefined;
  readonly requestId: string | undefined;
  /** What speaks against it and may not stop it, on the caller's word. */
  readonly waive: readonly string[];
}

const where = { environment: { type: 'string', default: 'production' }, region: { type: 'string' } } as const;
const reason = { reason: { type: 'string' } } as const;
const restoreTo = { 'restore-to': { type: 'string' } } as const;

export function parseStatusOptions(argv: readonly string[]): OperatorOptions {
  return placeOf(parse(argv, where).values);
}

export function parseReadinessOptions(argv: readonly string[]): ReadinessOptions {
  const { values } = parse(argv, { ...where, run: { type: 'boolean', default: false } });
  return { ...placeOf(values), run: values.run === true };
}

export function parseDebtOptions(argv: readonly string[]): DebtOptions {
  const { values, positionals } = parse(argv, where, 1);
  const [word] = positionals;
  if (word !== undefined && word !== 'close')
    throw new UsageError(`dr debt ${word}: there is no such thing. Give close, or nothing to see the debt.`);
  return { ...placeOf(values), close: word === 'close' };
}

export function parseWatchOptions(argv: readonly string[]): WatchOptions {
  const { values, positionals } = parse(argv, where, 1);
  const [incident] = positionals;
  return { ...placeOf(values), incident: incident === undefined ? undefined : incidentOf(incident) };
}

export function parseApproveOptions(argv: readonly string[]): DecisionOptions {
  const { values, positionals } = parse(argv, { ...where, ...reason, ...restoreTo }, 1);
  return {
    ...placeOf(values),
    incident: incidentOf(positionals[0]),
    reason: reasonOf(values.reason),
    restoreTo: restoreToOf(values['restore-to']),
  };
}

export function parseDeclineOptions(argv: readonly string[]): DecisionOptions {
  const { values, positionals } = parse(argv, { ...where, ...reason }, 1);
  return {
    ...placeOf(values),
    incident: incidentOf(positionals[0]),
    reason: reasonOf(values.reason),
    restoreTo: undefined,
  };
}

export function parseCancelOptions(argv: readonly string[]): CancelOptions {
  const { values, positionals } = parse(argv, { ...where, ...reason, yes: { type: 'boolean', default: false } }, 1);
  return {
    ...placeOf(values),
    incident: incidentOf(positionals[0]),
    reason: reasonOf(values.reason),
    yes: values.yes === true,
  };
}

export function parseRetryOptions(argv: readonly string[]): RetryOptions {
  const { values, positionals } = parse(argv, { ...where, ...reason, ...restoreTo, waive: { type: 'string' } }, 1);
  const incident = incidentOf(positionals[0]);
  const waive = checksOf(values.waive);
  if (waive.length > 0 && values.reason === undefined)
    throw new UsageError('--waive needs --reason "…": who reads the report must see why the check may not stop it.');
  if (incident.startsWith('drill-'))
    throw new UsageError(`${incident} is a drill: a drill is not retried. Start a new one: dr start --reason "…".`);
  return {
    ...placeOf(values),
    incident,
    reason: values.reason === undefined ? 'retry' : reasonOf(values.reason),
    restoreTo: restoreToOf(values['restore-to']),
    waive,
  };
}

/** Of a recovery by builds (core/cluster, core/configuration): what is no check of a database. */
const clusterChecks = ['control-plane', 'protected-resources', 'unknown-configuration'];

function checksOf(value: unknown): string[] {
  if (value === undefined) return [];
  const names = String(value).split(',');
  const wrong = names.find((name) => !CheckName.safeParse(name).success && !clusterChecks.includes(name));
  if (wrong === undefined) return names;
  throw new UsageError(
    `--waive ${wrong} is no check of the validation. Give some of: ${[...CheckName.options, ...clusterChecks].join(',')}.`,
  );
}

export function parseStartOptions(argv: readonly string[]): StartOptions {
  const { values } = parse(argv, {
    ...where,
    ...reason,
    ...restoreTo,
    scenario: { type: 'string', default: 'database' },
    mode: { type: 'string', default: 'drill' },
    tables: { type: 'string' },
    'request-id': { type: 'string' },
    confirm: { type: 'string' },
  });
  const { environment, region } = placeOf(values);
  const { mode, confirm, 'request-id': requestId } = values;
  if (mode !== 'drill' && mode !== 'recovery')
    throw new UsageError(`--mode ${String(mode)} is not a mode. Give drill or recovery.`);
  if (mode === 'recovery' && confirm !== environment)
    throw new UsageError(
      `--confirm ${typeof confirm === 'string' ? confirm : '(not given)'} does not name the environment. A recovery changes what is production in ${environment}: give --confirm ${environment}.`,
    );
  if (mode === 'drill' && values.tables !== undefined)
    throw new UsageError(
      '--tables is for a recovery: a drill restores the whole database. Give --mode recovery with it.',
    );
  return {
    environment,
    region,
    scenario: scenarioOf(values),
    mode,
    reason: reasonOf(values.reason),
    restoreTo: restoreToOf(values['restore-to']),
    tables: tablesOf(values.tables),
    requestId: requestIdOf(requestId),
    confirm: typeof confirm === 'string' ? confirm : undefined,
  };
}

const move = {
  environment: where.environment,
  ...reason,
  confirm: { type: 'string' },
  'request-id': { type: 'string' },
} as const;

export function parseFailoverOptions(argv: readonly string[]): MoveOptions {
  const { values } = parse(argv, {
    ...move,
    mode: { type: 'string', default: 'recovery' },
    style: { type: 'string', default: 'ungraceful' },
    waive: { type: 'string' },
  });
  const { mode, style, waive } = values;
  if (mode !== 'drill' && mode !== 'recovery')
    throw new UsageError(`--mode ${String(mode)} is not a mode. Give drill or recovery.`);
  if (style !== 'graceful' && style !== 'ungraceful')
    throw new UsageError(`--style ${String(style)} is no style. Give graceful or ungraceful.`);
  return { ...moveOf(values, mode), style, waive: waive === undefined ? [] : String(waive).split(',') };
}

export function parseFailbackOptions(argv: readonly string[]): MoveOptions {
  const { values } = parse(argv, move);
  return { ...moveOf(values, 'recovery'), style: 'graceful', waive: [] };
}

function moveOf(values: Values, mode: 'drill' | 'recovery'): Omit<MoveOptions, 'style' | 'waive'> {
  const { environment } = placeOf({ environment: values.environment });
  const { confirm } = values;
  if (mode === 'recovery' && confirm !== environment)
    throw new UsageError(
      `--confirm ${typeof confirm === 'string' ? confirm : '(not given)'} does not name the environment. Production of ${environment} moves to the other Region: give --confirm ${environment}.`,
    );
  return {
    environment,
    mode,
    reason: reasonOf(values.reason),
    confirm: typeof confirm === 'string' ? confirm : undefined,
    requestId: requestIdOf(values['request-id']),
  };
}

function requestIdOf(value: unknown): string | undefined {
  if (value === undefined || /^[A-Za-z0-9_-]{1,64}$/.test(String(value)))
    return value === undefined ? undefined : String(value);
  throw new UsageError(`--request-id ${String(value)} is not 1 to 64 letters, digits, - and _. Give such a name.`);
}

function scenarioOf(values: Values): StartOptions['scenario'] {
  const { scenario } = values;
  if (scenario !== 'database' && scenario !== 'cluster' && scenario !== 'configuration')
    throw new UsageError(
      `--scenario ${String(scenario)} has no state machine. Give database, cluster or configuration.`,
    );
  // A zone is restored to a moment, too.
  const needless = scenario === 'cluster' ? ['restore-to', 'tables'] : ['tables'];
  const ofDatabases = needless.find((option) => values[option] !== undefined);
  if (scenario !== 'database' && ofDatabases)
    throw new UsageError(`--${ofDatabases} is of databases. Leave it out, or give --scenario database.`);
  return scenario;
}

/** Commas within quotes belong to the name. */
function tablesOf(value: unknown): readonly string[] | undefined {
  if (value === undefined) return undefined;
  const names =
    String(value)
      .match(/(?:"(?:[^"]|"")*"|[^",])+/g)
      ?.map((name) => name.trim()) ?? [];
  const wrong = names.find((name) => !TableName.safeParse(name).success);
  if (names.length > 0 && wrong === undefined) return names;
  throw new UsageError(
    `--tables ${String(value)}: ${wrong === undefined ? 'names none' : `${wrong} is no table`}. Give schema.table,schema.table, as SQL writes them.`,
  );
}

type Values = Readonly<Record<string, unknown>>;

function placeOf({ environment, region }: Values): OperatorOptions {
  const name = environmentOf(environment);
  const { primary, dr } = configurationOf(name);
  if (region === undefined) return { environment: name, region: undefined };
  if (region === primary.region || region === dr.region) return { environment: name, region };
  throw new UsageError(
    `--region ${String(region)} is no Region of ${name}. Give ${primary.region} or ${dr.region}, or leave it out for that of the active database.`,
  );
}

function incidentOf(value: string | undefined): string {
  const list = 'Take it from: npm run dr -- status.';
  if (value === undefined) throw new UsageError(`The incident is missing. Give its id as the first word. ${list}`);
  if (isIncidentId(value)) return value;
  throw new UsageError(`${value} is no incident id, such as recovery-20261122T201500Z-1a2b3c4d. ${list}`);
}

function reasonOf(value: unknown): string {
  const text = typeof value === 'string' ? value.trim() : '';
  if (text.length >= 1 && text.length <= 500) return text;
  throw new UsageError(
    value === undefined || text === ''
      ? '--reason is missing. Say why in a few words: --reason "…". It goes on record.'
      : `--reason is ${text.length} characters long. Give at most 500.`,
  );
}

function restoreToOf(value: unknown): RestoreTo | undefined {
  if (value === undefined) return undefined;
  const text = String(value);
  const [, kind = '', name] = /^(snapshot|dump):(.+)$/.exec(text) ?? [];
  const parsed = RestoreToSchema.safeParse(name === undefined ? text : { [kind]: name });
  if (parsed.success && (typeof parsed.data !== 'string' || text === 'latest' || !Number.isNaN(Date.parse(text))))
    return parsed.data;
  throw new UsageError(
    `--restore-to ${text} is no restore point. Give latest, a UTC time such as 2026-11-22T13:05:00Z, snapshot:<identifier> or dump:<name>.`,
  );
}
