/** Options of the commands: every bad value is refused naming the option, the value and the fix. */
import { parseArgs } from 'node:util';
import { environments } from '../config/index.ts';
import { disasters } from '../workload/disasters/index.ts';
import { UsageError } from './exit-codes.ts';

export interface DrillOptions {
  readonly environment: string;
  readonly mode: 'drill' | 'recovery';
  readonly scenario: 'database' | 'cluster' | 'region' | 'configuration';
  /** Stock movements of the workload. */
  readonly rows: number;
  readonly json: boolean;
  /** Directory that receives report.html and report.json. */
  readonly output: string | undefined;
  /** What destroys production before it is recovered; undefined in a drill on a copy. */
  readonly disaster: string | undefined;
  /** Approves what the recovery asks, through the same URL as a person. */
  readonly yes: boolean;
}

export interface CloudOptions {
  readonly environment: string;
  readonly rows: number;
  readonly port: number | undefined;
  readonly clockFactor: number;
}

/** What a drill's clock divides AWS-owned waits by: a minute of waiting becomes a second. */
export const drillClockFactor = 60;

const shared = {
  environment: { type: 'string', default: 'production' },
  rows: { type: 'string', default: '50000' },
} as const;

export function parseDrillOptions(argv: readonly string[]): DrillOptions {
  const { values } = parse(argv, {
    ...shared,
    json: { type: 'boolean', default: false },
    output: { type: 'string' },
    mode: { type: 'string', default: 'drill' },
    disaster: { type: 'string' },
    scenario: { type: 'string' },
    style: { type: 'string' },
    yes: { type: 'boolean', default: false },
  });
  return {
    ...rehearsedBy(values),
    yes: values.yes === true,
    environment: environmentOf(values.environment),
    rows: wholeNumber('--rows', values.rows, 100, 50_000_000),
    json: values.json === true,
    output: directoryOf(values.output),
  };
}

export function parseCloudOptions(argv: readonly string[]): CloudOptions {
  const { values } = parse(argv, {
    ...shared,
    port: { type: 'string' },
    'clock-factor': { type: 'string', default: '1' },
  });
  return {
    environment: environmentOf(values.environment),
    rows: wholeNumber('--rows', values.rows, 100, 50_000_000),
    port: values.port === undefined ? undefined : wholeNumber('--port', values.port, 1, 65_535),
    clockFactor: wholeNumber('--clock-factor', values['clock-factor'], 1, 3600),
  };
}

type Definitions = NonNullable<Parameters<typeof parseArgs>[0]>['options'];

/** Parses strictly, with at most this many words that are no options. */
export function parse(
  argv: readonly string[],
  options: NonNullable<Definitions>,
  words = 0,
): { values: Record<string, unknown>; positionals: string[] } {
  try {
    const parsed = parseArgs({ args: [...argv], options, allowPositionals: words > 0, strict: true });
    const extra = parsed.positionals[words];
    if (extra !== undefined) throw new Error(`Unexpected argument '${extra}'`);
    return parsed;
  } catch (error) {
    const known = Object.keys(options).map((name) => `--${name}`);
    throw new UsageError(`${(error as Error).message.split('. ')[0]}. Known options: ${known.join(', ')}.`, {
      cause: error,
    });
  }
}

type Rehearsed = Pick<DrillOptions, 'mode' | 'scenario' | 'disaster'>;

/** A switchover needs no disaster; everything else of a recovery does, and the disaster says which recovery. */
function rehearsedBy({ mode, scenario, disaster, style }: Record<string, unknown>): Rehearsed {
  const asked = scenarioOf(scenario);
  if (style !== undefined && style !== 'graceful' && style !== 'ungraceful')
    throw new UsageError(`--style ${String(style)} is no style. Give graceful or ungraceful.`);
  if (mode === 'drill') {
    if (style !== undefined)
      throw new UsageError(`--style ${style} is of a recovery: a drill leaves production alone. Give --mode recovery.`);
    if (disaster !== undefined)
      throw new UsageError(`--disaster ${String(disaster)} destroys production. Give --mode recovery with it.`);
    return { mode, scenario: asked ?? 'database', disaster: undefined };
  }
  if (mode !== 'recovery') throw new UsageError(`--mode ${String(mode)} is not a mode. Give drill or recovery.`);
  if (style === 'graceful') {
    if (disaster !== undefined || (asked ?? 'region') !== 'region')
      throw new UsageError(
        '--style graceful moves a sound production to the other Region. Leave --disaster and --scenario out.',
      );
    return { mode, scenario: 'region', disaster: undefined };
  }
  const name = disasterOf(disaster);
  const { loses } = disasters[name] ?? { loses: 'database' };
  if ((asked ?? loses) !== loses)
    throw new UsageError(`--scenario ${asked} is not recovered from ${name}. Leave --scenario out.`);
  if (style !== undefined && loses !== 'region')
    throw new UsageError(`--style ${style} is of a Region: ${name} is recovered where it happens. Leave it out.`);
  return { mode, scenario: loses, disaster: name };
}

function scenarioOf(value: unknown): DrillOptions['scenario'] | undefined {
  const known = ['database', 'cluster', 'region', 'configuration'] as const;
  const found = known.find((each) => each === value);
  if (value === undefined || found) return found;
  throw new UsageError(`--scenario ${String(value)} is not known. Give database, cluster, region or configuration.`);
}

function disasterOf(disaster: unknown): string {
  const known = Object.keys(disasters).join(', ');
  if (typeof disaster === 'string' && Object.hasOwn(disasters, disaster)) return disaster;
  throw new UsageError(
    disaster === undefined
      ? `--disaster is missing: what is production to be recovered from? Give one of: ${known}.`
      : `--disaster ${String(disaster)} is not known. Give one of: ${known}.`,
  );
}

function directoryOf(value: unknown): string | undefined {
  if (value === '') throw new UsageError('--output is empty. Give a directory, or leave it out for the default.');
  return typeof value === 'string' ? value : undefined;
}

export function environmentOf(value: unknown): string {
  if (typeof value === 'string' && Object.hasOwn(environments, value)) return value;
  throw new UsageError(
    `--environment ${String(value)} is not one of this installation's. Give one of: ${Object.keys(environments).join(', ')}.`,
  );
}

function wholeNumber(option: string, value: unknown, least: number, most: number): number {
  const number = Number(value);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  throw new UsageError(
    `${option} ${String(value)} is not a whole number from ${least} to ${most}. Leave it out for the default.`,
  );
}
