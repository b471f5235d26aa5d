/** Task: one request to a service, bounded in time, ended by its answer, by its job's end, or by its token. */
import type { Callback } from './callbacks.ts';
import type { TaskState } from './definition.ts';
import { StatesError } from './errors.ts';
import { encode, type Json } from './json.ts';
import { parseResource, type Resource } from './resource.ts';
import { aborted, first, fork } from './signals.ts';
import { taskEvents } from './task-events.ts';
import type { TaskRequest, Visit } from './visit.ts';

/** One attempt; the result is what `$states.result` is. */
export async function task(state: TaskState, visit: Visit): Promise<Json> {
  const resource = parseResource(state.Resource);
  if (typeof resource === 'string') throw new StatesError('States.Runtime', resource);
  const { run } = visit.frame;
  const callback = resource.pattern === 'waitForTaskToken' ? run.ports.callbacks.open(run.stateMachineArn) : undefined;
  visit.token = callback?.token;
  try {
    return await attempt(state, visit, resource, callback);
  } finally {
    callback?.close();
    visit.token = undefined;
  }
}

async function attempt(state: TaskState, visit: Visit, resource: Resource, callback: Callback | undefined) {
  const { run, signal, cursor } = visit.frame;
  const { history, ports } = run;
  const given = state.Arguments === undefined ? visit.input : await visit.evaluate(state.Arguments, 'Arguments');
  const timeout = await seconds(state, 'TimeoutSeconds', visit);
  const heartbeat = await seconds(state, 'HeartbeatSeconds', visit);
  const events = taskEvents(resource, run.region);
  history.add(cursor, ...events.scheduled(encode(given, 'The arguments of the task'), timeout, heartbeat));
  history.add(cursor, ...events.started());

  const { controller, release } = fork(signal);
  // A job or a callback is first submitted, then waited for: what fails before is another event.
  let submitting = resource.pattern !== 'requestResponse' && resource.pattern !== 'function';
  const submitted = (answer: Json) => {
    // An answer that comes after the end of the task is no part of its history.
    if (controller.signal.aborted) return;
    submitting = false;
    history.add(cursor, ...events.submitted(encode(answer, 'The answer to the task')));
  };
  const request: TaskRequest = { resource, arguments: given, signal: controller.signal, submitted };
  const outcomes = [work(request, visit, callback), aborted(controller.signal)];
  if (timeout) outcomes.push(expire(ports.clock.limit(timeout * 1000, controller.signal)));
  if (heartbeat && callback) outcomes.push(heartbeatLost(callback, heartbeat, visit, controller.signal));
  try {
    const result = await first(outcomes);
    history.add(cursor, ...events.succeeded(encode(result, 'The result of the task')));
    return result;
  } catch (thrown) {
    if (signal.aborted) throw signal.reason;
    const failure = thrown instanceof StatesError ? thrown : new StatesError('States.Runtime', String(thrown));
    const late = failure.error === 'States.Timeout' || failure.error === 'States.HeartbeatTimeout';
    const ended = late ? events.timedOut : submitting ? events.submitFailed : events.failed;
    history.add(cursor, ...ended(failure));
    throw failure;
  } finally {
    release();
    // A reason of its own: without one, an error with its stack is made for nobody.
    controller.abort('over');
  }
}

async function seconds(state: TaskState, field: 'TimeoutSeconds' | 'HeartbeatSeconds', visit: Visit) {
  const value = state[field];
  return value === undefined ? undefined : visit.number(value, field, 1);
}

async function work(request: TaskRequest, visit: Visit, callback: Callback | undefined): Promise<Json> {
  const answer = await visit.frame.run.ports.invoke(request);
  if (!callback) return answer;
  request.submitted(answer);
  return callback.outcome;
}

async function expire(limit: Promise<void>): Promise<never> {
  await limit;
  throw new StatesError('States.Timeout');
}

/** Heartbeats postpone only this; TimeoutSeconds runs on. */
async function heartbeatLost(callback: Callback, limit: number, visit: Visit, signal: AbortSignal): Promise<never> {
  const { clock } = visit.frame.run.ports;
  for (;;) {
    const left = callback.lastBeat() + limit * 1000 - clock.now();
    if (left <= 0) throw new StatesError('States.HeartbeatTimeout');
    await clock.limit(left, signal);
  }
}
