/** `dr watch`: the timeline of an incident, live, until it ends. */
import { setTimeout as sleep } from 'node:timers/promises';
import { readFailure } from '../../core/errors.ts';
import { debtInWords, terraformDebt } from '../../core/evidence/aftermath.ts';
import type { IncidentRecord } from '../../core/incident/contracts.ts';
import { type ExitCode, exitCodes, UsageError } from '../exit-codes.ts';
import { type Ended, follow } from '../follow.ts';
import { dr } from '../hints.ts';
import { onInterruptionSay } from '../interruption.ts';
import { type Operator, operatorAt, requireIncident } from '../operator.ts';
import type { WatchOptions } from '../operator-options.ts';
import { answers, questionLines } from '../question.ts';
import { listCompensations, listIncidents, readApproval } from '../records.ts';
import { clock, duration, Screen } from '../screen.ts';
import { readSteps } from '../timeline.ts';

/** The embedded cloud may be asked as often as one likes; DescribeExecution of AWS is throttled for the whole account. */
const pollMs = () => (process.env.AWS_ENDPOINT_URL ? 200 : 2000);

/** Exit 0: the incident ended closed. 1: it failed, or was declined. */
export async function watch(options: WatchOptions): Promise<ExitCode> {
  const operator = await operatorAt(options);
  const { incident, objectives } =
    options.incident === undefined ? await openIncident(operator) : await requireIncident(operator, options.incident);
  const { id, mode, executionArn, detectedAt } = incident;
  onInterruptionSay(`Nothing was stopped: ${id} goes on without you. Go on watching: ${dr(`watch ${id}`)}`);
  const screen = new Screen();
  screen.heading(`${id}: ${incident.reason}`);
  screen.text(
    `The RTO clock runs since ${clock(detectedAt)}; the objective is ${duration(objectives.rtoSeconds)}.${incident.retryOf ? ' A retry.' : ''}`,
  );
  const ended = await follow(
    {
      executionArn,
      incidentId: id,
      table: operator.names.incidentTable,
      mode,
      rtoSeconds: objectives.rtoSeconds,
      detectedAt,
      pollMs: pollMs(),
      question: {
        asked: () => showQuestion(operator, id, screen),
        answered: () => showAnswer(operator, id, screen),
      },
    },
    operator.here,
    screen,
  );
  return conclude(ended, await closed(operator, id), operator, screen);
}

async function openIncident({ here, names, region }: Operator): Promise<IncidentRecord> {
  const recent = await listIncidents(here.dynamodb, names.incidentTable, 10);
  const open = recent.find(({ status }) => status === 'open');
  if (open) return open;
  const last = recent[0]?.incident.id;
  throw new UsageError(
    `No incident is open in ${region}. ${last === undefined ? 'There was none yet.' : `Name one to read how it went; the last: ${dr(`watch ${last}`)}`}`,
  );
}

async function showQuestion({ dr: { dynamodb }, names }: Operator, id: string, screen: Screen): Promise<void> {
  const approval = await readApproval(dynamodb, names.controlTable, id);
  if (!approval || approval.decision) return;
  screen.heading('Approval wanted');
  for (const line of questionLines(approval, Date.now())) screen.text(line);
  screen.text('In another terminal:');
  for (const line of answers(approval)) screen.line(`    ${line}`);
  screen.line();
}

async function showAnswer({ dr: { dynamodb }, names }: Operator, id: string, screen: Screen): Promise<void> {
  const approval = await readApproval(dynamodb, names.controlTable, id);
  const { approved, by, reason, at } = approval?.decision ?? {};
  if (!approval || !at) return;
  const seconds = (Date.parse(at) - Date.parse(approval.askedAt)) / 1000;
  screen.item(
    approved ? 'good' : 'bad',
    'RequestApproval',
    seconds,
    `${approved ? 'approved' : 'declined'} by ${by}: "${reason}"`,
  );
}

/** An execution that was stopped is closed a moment later, by the clean-up that its end wakes. */
const closingMs = 15_000;

async function closed(operator: Operator, id: string): Promise<IncidentRecord> {
  for (const until = performance.now() + closingMs; ; await sleep(pollMs())) {
    const record = await requireIncident(operator, id);
    if (record.status !== 'open' || performance.now() > until) return record;
  }
}

async function conclude(ended: Ended, record: IncidentRecord, operator: Operator, screen: Screen): Promise<ExitCode> {
  const { incident, status, outcome = `the execution ended ${ended.status}`, reports } = record;
  const passed = status === 'closed' && ended.status === 'SUCCEEDED';
  screen.heading(passed ? screen.good(outcome) : screen.bad(outcome));
  screen.table(objectiveRows(record));
  if (reports) screen.text(`Report: aws s3 cp ${reports.html} .`);
  screen.heading('Next');
  for (const line of await nextSteps(ended, record, operator)) screen.text(line);
  if (incident.mode === 'recovery' && !passed) screen.line(`    ${dr(`retry ${incident.id}`)}`);
  return passed ? exitCodes.passed : exitCodes.failed;
}

function objectiveRows({ objectives, achieved }: IncidentRecord): string[][] {
  const row = (name: string, objective: number, value: number | undefined) => [
    name,
    duration(objective),
    value === undefined ? 'not measured' : duration(value),
    value === undefined ? '' : value <= objective ? 'met' : 'MISSED',
  ];
  return [
    ['', 'objective', 'achieved', ''],
    row('RTO', objectives.rtoSeconds, achieved.rtoSeconds),
    row('RPO', objectives.rpoSeconds, achieved.rpoSeconds),
  ];
}

async function nextSteps(
  { status, error = '', cause = '' }: Ended,
  { incident, ...record }: IncidentRecord,
  { here, names }: Operator,
) {
  if (record.status === 'open')
    return ['The clean-up that closes it has not run yet; it is tried again every few minutes.'];
  if (record.status === 'closed') {
    if (incident.mode === 'drill') return ['Read the report and hold its review.'];
    const debt = terraformDebt(await readSteps(here.dynamodb, names.incidentTable, incident.id));
    return [
      ...(debt ? debtInWords(debt).map(({ what, todo }) => `${what}: ${todo}`) : []),
      `A drill has been started that validates the recovered database in depth: ${dr('watch')}`,
      'Read the report and hold its review.',
    ];
  }
  if (status === 'ABORTED') {
    const undone = await listCompensations(here.dynamodb, names.incidentTable, incident.id);
    return [
      `Stopped: ${cause || 'no reason was given'}`,
      ...undone.map(({ name, outcome }) => (outcome ? `Undone: ${outcome}` : `NOT UNDONE YET: ${name}`)),
    ];
  }
  const { message, next } = readFailure({ Error: error, Cause: cause });
  return [message, next].filter(Boolean);
}
