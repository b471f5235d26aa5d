/** Options of the commands: every bad value is refused naming the option, the value and the fix. */
import { parseArgs } from 'node:util';
import { environments } from '../config/index.ts';
import { UsageError } from './exit-codes.ts';

export interface DrillOptions {
  readonly environment: string;
  /** Stock movements of the workload. */
  readonly rows: number;
  readonly json: boolean;
  /** Directory that receives report.html and report.json. */
  readonly output: string | undefined;
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
  const values = parse(argv, { ...shared, json: { type: 'boolean', default: false }, output: { type: 'string' } });
  return {
    environment: environmentOf(values.environment),
    rows: wholeNumber('--rows', values.rows, 100, 50_000_000),
    json: values.json === true,
    output: directoryOf(values.output),
  };
}

export function parseCloudOptions(argv: readonly string[]): CloudOptions {
  const values = parse(argv, { ...shared, port: { type: 'string' }, 'clock-factor': { type: 'string', default: '1' } });
  return {
    environment: environmentOf(values.environment),
    rows: wholeNumber('--rows', values.rows, 100, 50_000_000),
    port: values.port === undefined ? undefined : wholeNumber('--port', values.port, 1, 65_535),
    clockFactor: wholeNumber('--clock-factor', values['clock-factor'], 1, 3600),
  };
}

type Definitions = NonNullable<Parameters<typeof parseArgs>[0]>['options'];

function parse(argv: readonly string[], options: NonNullable<Definitions>): Record<string, unknown> {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: false, strict: true }).values;
  } catch (error) {
    const known = Object.keys(options).map((name) => `--${name}`);
    throw new UsageError(`${(error as Error).message.split('. ')[0]}. Known options: ${known.join(', ')}.`, {
      cause: error,
    });
  }
}

function directoryOf(value: unknown): string | undefined {
  if (value === '') throw new UsageError('--output is empty. Give a directory, or leave it out for the default.');
  return typeof value === 'string' ? value : undefined;
}

function environmentOf(value: unknown): string {
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
