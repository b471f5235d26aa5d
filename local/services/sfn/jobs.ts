/** `.sync`: waits for the end of a nested execution or of a build; a stopped task stops its job. */
import { StatesError } from '../../states/errors.ts';
import { isObject, type Json, type JsonObject } from '../../states/json.ts';
import { aborted, first } from '../../states/signals.ts';
import type { TaskRequest } from '../../states/visit.ts';
import type { Caller } from './caller.ts';

/** A further call of the same service as the machine's role. */
type Again = (operation: string, given: JsonObject) => Promise<Json>;

/** How often an unfinished build is looked at, in milliseconds of AWS's time. */
const buildPollMs = 5000;

export async function executionEnd(caller: Caller, request: TaskRequest, started: Json, again: Again): Promise<Json> {
  const ExecutionArn = memberOf(started, 'ExecutionArn');
  await untilEnd(request, caller.completion(ExecutionArn), () => again('StopExecution', { ExecutionArn }));
  const described = (await again('DescribeExecution', { ExecutionArn })) as JsonObject;
  if (described.Status !== 'SUCCEEDED') throw new StatesError('States.TaskFailed', JSON.stringify(described));
  if (request.resource.pattern === 'sync') return described;
  // .sync:2 gives the nested input and output as JSON, .sync as text.
  const parsed = (member: string) => ({ [member]: JSON.parse(String(described[member] ?? 'null')) as Json });
  return { ...described, ...parsed('Input'), ...parsed('Output') };
}

export async function buildEnd(caller: Caller, request: TaskRequest, started: Json, again: Again): Promise<Json> {
  const Id = memberOf(isObject(started) ? (started.Build as Json) : null, 'Id');
  const ended = async (): Promise<JsonObject> => {
    for (;;) {
      const answer = (await again('BatchGetBuilds', { Ids: [Id] })) as { readonly Builds?: readonly JsonObject[] };
      const build = answer.Builds?.[0];
      if (build && build.BuildStatus !== 'IN_PROGRESS') return build;
      await caller.home.clock.sleep(buildPollMs, request.signal);
    }
  };
  const Build = await untilEnd(request, ended(), () => again('StopBuild', { Id }));
  if (Build.BuildStatus !== 'SUCCEEDED') throw new StatesError('States.TaskFailed', JSON.stringify({ Build }));
  return { Build };
}

/** Step Functions tries to stop the job of a task that is aborted or times out; its failure to do so changes nothing. */
async function untilEnd<T>({ signal }: TaskRequest, end: Promise<T>, stop: () => Promise<unknown>): Promise<T> {
  try {
    return await first<T>([end, aborted(signal)]);
  } catch (error) {
    if (signal.aborted) await stop().catch(() => undefined);
    throw error;
  }
}

function memberOf(answer: Json, name: string): string {
  const value = isObject(answer) ? answer[name] : undefined;
  if (typeof value !== 'string') throw new StatesError('States.Runtime', `The answer has no ${name}`);
  return value;
}
