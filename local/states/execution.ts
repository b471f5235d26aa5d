/** One execution of a state machine, from its start to its end. */
import type { HistoryEvent } from '@aws-sdk/client-sfn';
import type { Definition } from './definition.ts';
import { Interruption } from './errors.ts';
import { runFlow } from './flow.ts';
import { type Details, History } from './history.ts';
import type { Json, JsonObject } from './json.ts';
import { asStatesError } from './retry-catch.ts';
import type { Ports, Run } from './visit.ts';

export type Status = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

export interface Start {
  readonly definition: Definition;
  readonly input: Json;
  readonly executionArn: string;
  readonly name: string;
  readonly roleArn: string;
  readonly stateMachine: { readonly arn: string; readonly name: string };
  readonly region: string;
}

/** How an execution ended. */
export interface End {
  readonly status: Exclude<Status, 'RUNNING'>;
  /** JSON text, when it succeeded. */
  readonly output?: string;
  readonly error?: string | undefined;
  readonly cause?: string | undefined;
  /** Epoch milliseconds. */
  readonly at: number;
}

export interface Execution {
  readonly events: readonly HistoryEvent[];
  /** Resolves once, after the last event is recorded. Never rejects. */
  readonly ended: Promise<End>;
  /** Aborts everything that runs; no Catch does. */
  stop(error?: string, cause?: string): void;
}

/** Starts at once; `onEvent` is called with every event as it is recorded. */
export function execute(start: Start, ports: Ports, onEvent: (event: HistoryEvent) => void): Execution {
  const controller = new AbortController();
  const history = new History(ports.clock.now, (reason) => controller.abort(reason), onEvent);
  const cursor = { previousEventId: 0 };
  const run: Run = {
    ports,
    host: { now: ports.clock.now, random: ports.random, uuid: ports.uuid },
    history,
    region: start.region,
    stateMachineArn: start.stateMachine.arn,
    context: contextOf(start, ports.clock.now()),
  };
  const { definition, input, roleArn } = start;
  history.add(cursor, 'ExecutionStarted', {
    executionStartedEventDetails: { input: JSON.stringify(input), inputDetails: { truncated: false }, roleArn },
  });
  if (definition.TimeoutSeconds !== undefined) expire(definition.TimeoutSeconds, ports, controller);
  const flow = runFlow(definition, input, { run, variables: {}, signal: controller.signal, cursor });
  const ended = flow.then(
    (output): Ending => ({ status: 'SUCCEEDED', output: JSON.stringify(output) }),
    (thrown): Ending => (thrown instanceof Interruption ? interrupted(thrown) : failed(thrown)),
  );
  return {
    events: history.events,
    ended: ended.then((ending) => {
      const at = ports.clock.now();
      history.close(cursor, ...closing(ending));
      // Ends the machine's own time limit.
      controller.abort('over');
      return { ...ending, at };
    }),
    stop: (error, cause) => controller.abort(new Interruption('ABORTED', error, cause)),
  };
}

type Ending = Omit<End, 'at'>;

const interrupted = ({ status, error, cause }: Interruption): Ending => ({ status, error, cause });

function failed(thrown: unknown): Ending {
  const { error, cause } = asStatesError(thrown);
  return { status: 'FAILED', error, cause };
}

async function expire(seconds: number, ports: Ports, controller: AbortController): Promise<void> {
  try {
    await ports.clock.limit(seconds * 1000, controller.signal);
    controller.abort(new Interruption('TIMED_OUT', 'States.Timeout'));
  } catch {
    // The execution ended first.
  }
}

function closing({
  status,
  output,
  error,
  cause,
}: Ending): ['ExecutionSucceeded' | 'ExecutionFailed' | 'ExecutionTimedOut' | 'ExecutionAborted', Details] {
  switch (status) {
    case 'SUCCEEDED':
      return [
        'ExecutionSucceeded',
        { executionSucceededEventDetails: { output, outputDetails: { truncated: false } } },
      ];
    case 'FAILED':
      return ['ExecutionFailed', { executionFailedEventDetails: { error, cause } }];
    case 'TIMED_OUT':
      return ['ExecutionTimedOut', { executionTimedOutEventDetails: { error, cause } }];
    case 'ABORTED':
      return ['ExecutionAborted', { executionAbortedEventDetails: { error, cause } }];
  }
}

function contextOf(start: Start, now: number): JsonObject {
  return {
    Execution: {
      Id: start.executionArn,
      Input: start.input,
      Name: start.name,
      RoleArn: start.roleArn,
      StartTime: new Date(now).toISOString(),
      RedriveCount: 0,
    },
    StateMachine: { Id: start.stateMachine.arn, Name: start.stateMachine.name },
  };
}
