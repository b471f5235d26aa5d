/** Runs a definition on the test clock with the tasks that a test gives. */
import { Callbacks } from '../../../local/states/callbacks.ts';
import { type End, type Execution, execute } from '../../../local/states/execution.ts';
import type { Json } from '../../../local/states/json.ts';
import { parseDefinition } from '../../../local/states/validate.ts';
import type { TaskRequest } from '../../../local/states/visit.ts';
import { type TestClock, testClock } from './test-clock.ts';

export interface Options {
  readonly input?: Json;
  readonly random?: () => number;
  invoke?(request: TaskRequest, callbacks: Callbacks, clock: TestClock): Promise<Json>;
  /** Called with the execution as soon as it runs. */
  during?(execution: Execution): void;
}

export const lambda = 'arn:aws:states:::lambda:invoke';

export async function run(definition: object, { input = {}, random = () => 0.5, invoke, during }: Options = {}) {
  const clock = testClock();
  let ids = 0;
  const uuid = () => `00000000-0000-4000-8000-${String(ids++).padStart(12, '0')}`;
  const callbacks = new Callbacks(clock.now, uuid);
  const execution = execute(
    {
      definition: parseDefinition(JSON.stringify({ QueryLanguage: 'JSONata', ...definition })),
      input,
      executionArn: 'arn:aws:states:us-east-1:111122223333:execution:machine:one',
      name: 'one',
      roleArn: 'arn:aws:iam::111122223333:role/machine',
      stateMachine: { arn: 'arn:aws:states:us-east-1:111122223333:stateMachine:machine', name: 'machine' },
      region: 'us-east-1',
    },
    {
      clock,
      callbacks,
      random,
      uuid,
      invoke: (request) => invoke?.(request, callbacks, clock) ?? Promise.resolve(null),
    },
    () => undefined,
  );
  during?.(execution);
  const end: End = await execution.ended;
  return {
    ...end,
    result: end.output === undefined ? undefined : JSON.parse(end.output),
    events: execution.events,
    types: execution.events.map((event) => event.type),
    waits: clock.waits,
  };
}

/** A machine of one state. */
export const only = (state: object) => ({ StartAt: 'Only', States: { Only: state } });
/** A machine whose states follow each other in order; the last one ends it. */
export function chain(states: Record<string, object>) {
  const names = Object.keys(states);
  const linked = names.map((name, at) => [
    name,
    { ...states[name], ...(names[at + 1] ? { Next: names[at + 1] } : { End: true }) },
  ]);
  return { StartAt: names[0], States: Object.fromEntries(linked) };
}
