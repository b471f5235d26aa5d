/** Follows a recovery live: each step as it ends, the elapsed time against the objective, and what happens now. */
import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeExecutionCommand } from '@aws-sdk/client-sfn';
import type { StepRecord } from '../core/incident/contracts.ts';
import type { Clients } from './clients.ts';
import { duration, type Screen } from './screen.ts';
import { readSteps } from './timeline.ts';

export interface Followed {
  readonly executionArn: string;
  readonly incidentId: string;
  readonly table: string;
  readonly rtoSeconds: number;
}

export interface Ended {
  readonly status: string;
  readonly error: string | undefined;
  readonly cause: string | undefined;
  readonly output: unknown;
}

const pollMs = 200;

/** Resolves when the execution has ended. */
export async function follow(followed: Followed, clients: Clients, screen: Screen): Promise<Ended> {
  const shown = new Set<string>();
  for (;;) {
    const execution = await clients.sfn.send(new DescribeExecutionCommand({ executionArn: followed.executionArn }));
    const steps = await readSteps(clients.dynamodb, followed.table, followed.incidentId);
    show(steps, shown, screen);
    if (execution.status !== 'RUNNING') {
      screen.living('');
      return {
        status: execution.status ?? 'UNKNOWN',
        error: execution.error,
        cause: execution.cause,
        output: execution.output ? JSON.parse(execution.output) : undefined,
      };
    }
    screen.living(now(steps, followed.rtoSeconds, execution.startDate));
    await sleep(pollMs);
  }
}

const secondsOf = (step: StepRecord) =>
  (Date.parse(step.finishedAt ?? step.startedAt) - Date.parse(step.startedAt)) / 1000;

function show(steps: readonly StepRecord[], shown: Set<string>, screen: Screen): void {
  for (const step of steps) {
    const key = `${step.step}#${step.attempts}`;
    if (step.piece !== undefined || step.finishedAt === undefined || shown.has(key)) continue;
    shown.add(key);
    screen.item(step.status === 'succeeded' ? 'good' : 'bad', step.step, secondsOf(step), step.summary);
  }
}

/** `RTO 4.1 s of 1 h · AwaitUsable: waiting, the status is creating` */
function now(steps: readonly StepRecord[], rtoSeconds: number, startDate: Date | undefined): string {
  const elapsed = startDate ? (Date.now() - startDate.getTime()) / 1000 : 0;
  const pieces = steps.filter((step) => step.piece !== undefined);
  const current = steps.findLast((step) => step.finishedAt === undefined && step.piece === undefined);
  const checks =
    pieces.length > 0
      ? ` · ${pieces.filter((piece) => piece.finishedAt !== undefined).length} of ${pieces.length} checks`
      : '';
  return `  … RTO clock ${duration(elapsed)} of ${duration(rtoSeconds)}${current ? ` · ${current.step}: ${current.summary}` : ''}${checks}`;
}
