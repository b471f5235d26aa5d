import { readFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SFNClient } from '@aws-sdk/client-sfn';
import { marshall } from '@aws-sdk/util-dynamodb';
import { expect, test } from 'vitest';
import { follow, now, stepOrder } from '../../cli/follow.ts';
import { Screen } from '../../cli/screen.ts';
import type { StepRecord } from '../../core/incident/contracts.ts';
import { makeStepRecord, openedAt } from '../core/fakes.ts';

const machine = JSON.parse(readFileSync('state-machines/database-recovery.asl.json', 'utf8')) as object;
const step = (name: string, change: Partial<StepRecord> = {}) =>
  makeStepRecord(name, { finishedAt: openedAt, ...change });

test('the order of the steps is that of a run in which nothing fails', () => {
  const order = stepOrder(machine, 'drill');
  expect(order.slice(0, 5)).toEqual([
    'AcceptRequest',
    'TakeLease',
    'OpenIncident',
    'AssessDatabase',
    'RestoreDatabase',
  ]);
  expect(order.slice(-3)).toEqual(['TearDown', 'AwaitTornDown', 'CloseIncident']);
  expect(order).not.toContain('ReportRefusal');
});

test('a recovery of production asks, fences and keeps a snapshot before it restores, and protects what it restored', () => {
  const order = stepOrder(machine, 'recovery');
  const own = ['RequestApproval', 'Replan', 'FenceSource', 'SnapshotSource', 'RestoreDatabase', 'ProtectDatabase'];
  expect(order.filter((name) => own.includes(name))).toEqual(own);
  expect(order).not.toContain('TearDown');
  expect(stepOrder(machine, 'drill').filter((name) => own.includes(name))).toEqual(['RestoreDatabase']);
});

const { finishedAt: _, ...running } = step('CheckGate');
test.each([
  { case: 'between two steps, the next one', steps: [step('OpenIncident')], says: ' · next AssessDatabase' },
  {
    case: 'what a step waits for',
    steps: [step('OpenIncident'), step('AwaitAvailable', { status: 'waiting', summary: 'the status is creating' })],
    says: ' · AwaitAvailable, then ConfigureDatabase · the status is creating',
  },
  {
    case: 'how many checks are through',
    steps: [
      step('PlanGate'),
      step('CheckGate', { piece: 'a' }),
      { ...running, piece: 'b', status: 'running' as const },
    ],
    says: ' · CheckGate, then JudgeGate · 1 of 2 checks',
  },
  { case: 'nothing at the end', steps: [step('CloseIncident')], says: '' },
])('the living line tells $case', ({ steps, says }) => {
  expect(now(steps, stepOrder(machine, 'drill'))).toBe(says);
});

/** Clients that answer from a script: one timeline for each look. */
function scripted(looks: readonly (readonly StepRecord[])[], end: object) {
  let look = 0;
  const sfn = new SFNClient({ region: 'us-east-1' });
  const dynamodb = new DynamoDBClient({ region: 'us-east-1' });
  const answer = async (command: object) => {
    if (command.constructor.name.startsWith('DescribeStateMachine')) return { definition: JSON.stringify(machine) };
    if (command.constructor.name !== 'DescribeExecutionCommand')
      return { Items: (looks[look++] ?? []).map((each) => marshall(each, { removeUndefinedValues: true })) };
    return look < looks.length - 1 ? { status: 'RUNNING', startDate: new Date() } : end;
  };
  return { sfn: Object.assign(sfn, { send: answer }), dynamodb: Object.assign(dynamodb, { send: answer }) };
}

test('shows each step once, when it is through, and the failure of one that is not', async () => {
  const out = new PassThrough();
  const opened = step('OpenIncident', { summary: 'open' });
  const waiting = step('AwaitAvailable', { status: 'waiting', summary: 'creating' });
  const error = { name: 'RestoreFailed', message: 'the status is incompatible-restore', next: 'choose another' };
  const failed = step('AwaitAvailable', { status: 'failed', attempts: 2, error });
  const clients = scripted([[opened], [opened, waiting], [opened, failed]], {
    status: 'FAILED',
    error: 'RestoreFailed',
    cause: 'why',
  });
  const followed = { executionArn: 'arn', incidentId: 'i', table: 't', mode: 'drill' as const, rtoSeconds: 3600 };
  const screen = new Screen({ out: out as unknown as NodeJS.WriteStream });
  expect(await follow(followed, clients, screen)).toEqual({ status: 'FAILED', error: 'RestoreFailed', cause: 'why' });
  const lines = String(out.read()).trim().split('\n');
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatch(/✓ OpenIncident .* open$/);
  expect(lines[1]).toMatch(/✗ AwaitAvailable .* RestoreFailed: the status is incompatible-restore$/);
});

test('tells once that it asks and once that it was answered, and shows nothing of the execution that a retry takes over from', async () => {
  const out = new PassThrough();
  const former = step('AssessDatabase', { execution: 'former', summary: 'of the former execution' });
  const asking = step('RequestApproval', { execution: 'arn', status: 'waiting', summary: 'asked' });
  const done = step('Replan', { execution: 'arn', summary: 'decided', startedAt: '2099-01-01T00:00:00.000Z' });
  const clients = scripted([[former], [former, asking], [former, asking], [former, asking, done]], {
    status: 'SUCCEEDED',
  });
  const told: string[] = [];
  const followed = { executionArn: 'arn', incidentId: 'i', table: 't', mode: 'recovery' as const, rtoSeconds: 3600 };
  const question = { asked: async () => void told.push('asked'), answered: async () => void told.push('answered') };
  await follow(
    { ...followed, pollMs: 1, question },
    clients,
    new Screen({ out: out as unknown as NodeJS.WriteStream }),
  );
  expect(told).toEqual(['asked', 'answered']);
  expect(String(out.read())).toMatch(/^[^\n]*Replan[^\n]*\n$/);
});
