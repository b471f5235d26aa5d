/** `dr readiness`: whether a recovery would work now, check by check, as the last look found it; with `--run`, a new one. */
import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeExecutionCommand, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { CheckResult, ReadinessRecord } from '../../core/readiness/contracts.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { dr as hint } from '../hints.ts';
import { onInterruptionSay } from '../interruption.ts';
import { clientsIn, type Operator, operatorAt } from '../operator.ts';
import type { ReadinessOptions } from '../operator-options.ts';
import { readReadiness } from '../records.ts';
import { clock, duration, Screen } from '../screen.ts';

/** Four looks of the schedule: what is older says nothing about now. */
const staleSeconds = 7200;

/** Exit 0: all that applies is ready. 1: something is not, or is unknown, or the last look is too old. 3: nobody has looked, or could. */
export async function readiness(options: ReadinessOptions): Promise<ExitCode> {
  const operator = await operatorAt({ ...options, region: undefined });
  const region = options.region ?? regionThatLooks(operator);
  const { sfn, dynamodb } = clientsIn(operator, region);
  if (options.run) {
    const failure = await look(sfn, operator.names.stateMachineArn(region, 'readiness'));
    if (failure !== undefined) {
      process.stderr.write(`${failure}\n`);
      return exitCodes.broken;
    }
  }
  const record = await readReadiness(dynamodb, operator.names.incidentTable);
  if (record === undefined) {
    process.stderr.write(`Nobody has looked yet in ${region}. Look now: ${hint('readiness --run')}\n`);
    return exitCodes.broken;
  }
  const now = Date.now();
  show(record, operator.configuration.environment, now);
  return endOf(record, now);
}

/** The one that production would be recovered to. */
const regionThatLooks = ({ region, configuration: { primary, dr } }: Operator): string =>
  region === dr.region ? primary.region : dr.region;

/** Starts the machine and waits for its end; why it found nothing, where it did not. */
async function look(sfn: ReturnType<typeof clientsIn>['sfn'], stateMachineArn: string): Promise<string | undefined> {
  const input = JSON.stringify({ permissions: 'now' });
  const { executionArn } = await sfn.send(new StartExecutionCommand({ stateMachineArn, input }));
  onInterruptionSay(`Nothing was stopped: ${executionArn} goes on. What it finds: ${hint('readiness')}`);
  for (;;) {
    const { status, error, cause, output } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    if (status === 'RUNNING') await sleep(300);
    else if (status !== 'SUCCEEDED') return `${executionArn} ${status}: ${error ?? ''} ${cause ?? ''}`.trim();
    else return skippedIn(output);
  }
}

function skippedIn(output = '{}'): string | undefined {
  const { skipped } = JSON.parse(output) as { skipped?: string };
  return skipped && `Not looked: ${skipped}.`;
}

function show(record: ReadinessRecord, environment: string, now: number): void {
  const screen = new Screen();
  screen.heading(`Readiness of ${environment}, seen from ${record.run.region} at ${clock(record.at)}`);
  screen.line();
  screen.table([['Check', 'Verdict', 'Depends on', 'Age', 'Reason'], ...checkRows(record, now)]);
  screen.heading('Scenarios');
  screen.table([['Scenario', 'Verdict', 'Score', 'Without'], ...scenarioRows(record)]);
  const [first] = record.checks.filter(isWrong);
  screen.line();
  if (isStale(record, now))
    screen.text(`The last look is ${duration((now - Date.parse(record.at)) / 1000)} old: ${hint('readiness --run')}`);
  if (first) screen.text(`What to do: ${first.runbook}, and the like for each.`);
}

const isWrong = ({ verdict }: CheckResult): boolean => verdict === 'not-ready' || verdict === 'unknown';
const isStale = ({ at }: ReadinessRecord, now: number) => (now - Date.parse(at)) / 1000 > staleSeconds;

const words: Readonly<Record<CheckResult['verdict'], string>> = {
  ready: 'ready',
  'not-ready': 'NOT READY',
  unknown: 'UNKNOWN',
  'not-applicable': 'not applicable',
};

/** What is wrong comes first; `now`: epoch milliseconds. */
export function checkRows({ checks }: Pick<ReadinessRecord, 'checks'>, now: number): string[][] {
  const rank = ({ verdict }: CheckResult) => ['not-ready', 'unknown', 'ready', 'not-applicable'].indexOf(verdict);
  return checks
    .toSorted((a, b) => rank(a) - rank(b))
    .map(({ check, verdict, dependsOn, seenAt, reason }) => [
      check,
      words[verdict],
      dependsOn,
      duration(Math.max(0, (now - Date.parse(seenAt)) / 1000)),
      reason,
    ]);
}

export const scenarioRows = ({ scenarios }: Pick<ReadinessRecord, 'scenarios'>): string[][] =>
  scenarios.map(({ scenario, verdict, score, missing }) => [
    scenario,
    words[verdict],
    `${score} %`,
    missing.join(', '),
  ]);

export const endOf = (record: ReadinessRecord, now: number): ExitCode =>
  record.verdict === 'ready' && !isStale(record, now) ? exitCodes.passed : exitCodes.failed;
