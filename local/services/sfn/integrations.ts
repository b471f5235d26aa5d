/** Performs a Task's request as the machine's role, and names what goes wrong as Step Functions does. */
import { AwsError } from '../../kernel.ts';
import type { Definition, Flow, State, TaskState } from '../../states/definition.ts';
import { type Problem, StatesError } from '../../states/errors.ts';
import { isObject, type Json, type JsonObject } from '../../states/json.ts';
import { parseResource, type Resource } from '../../states/resource.ts';
import type { TaskRequest } from '../../states/visit.ts';
import type { Caller } from './caller.ts';
import { buildEnd, executionEnd } from './jobs.ts';
import { invokeFunction } from './lambda.ts';
import { modelOf, toInput, toResult, unknownMembers } from './schema.ts';
import { type Target, targetOf } from './targets.ts';

/** The Task's result. Rejects with StatesError. */
export async function invoke(caller: Caller, request: TaskRequest): Promise<Json> {
  const { resource } = request;
  const target = targetOf(resource);
  if (!target) throw new StatesError('States.Runtime', `The resource type '${resource.type}' is not supported`);
  try {
    if (resource.pattern === 'function')
      return (await invokeFunction(caller, { FunctionName: resource.operation, Payload: request.arguments })).Payload;
    if (resource.type === 'lambda') return await invokeFunction(caller, request.arguments);
    const answer = await call(caller, target, resource.operation, prepare(resource, request.arguments));
    if (resource.type === 'events') refuseFailedEntries(answer);
    if (resource.pattern !== 'sync' && resource.pattern !== 'sync:2') return answer;
    request.submitted(answer);
    const again = (operation: string, given: JsonObject) => call(caller, target, operation, given);
    return resource.type === 'states'
      ? await executionEnd(caller, request, answer, again)
      : await buildEnd(caller, request, answer, again);
  } catch (error) {
    throw error instanceof AwsError ? await named(target, error) : error;
  }
}

async function call({ home, role }: Caller, target: Target, operation: string, given: Json): Promise<Json> {
  const schema = modelOf(target.service).operation(operation);
  if (!schema) throw new StatesError('States.Runtime', `${target.prefix} has no operation ${operation}`);
  const output = await home.call<object>(target.service, schema[2], toInput(schema, given), role);
  return toResult(schema, output, target.spelling);
}

/** Members that the API takes as text and the integration also as JSON. */
const textMembers: Readonly<Record<string, string>> = { sns: 'Message', sqs: 'MessageBody', states: 'Input' };

function prepare({ type }: Resource, given: Json): Json {
  if (!isObject(given)) throw new StatesError('States.Runtime', 'The arguments of the task must be an object');
  const asText = (holder: JsonObject, member: string): JsonObject =>
    holder[member] === undefined || typeof holder[member] === 'string'
      ? holder
      : { ...holder, [member]: JSON.stringify(holder[member]) };
  const holder = given as JsonObject;
  if (type === 'events' && Array.isArray(holder.Entries))
    return { ...holder, Entries: holder.Entries.map((entry: JsonObject) => asText(entry, 'Detail')) };
  const member = textMembers[type];
  return member === undefined ? holder : asText(holder, member);
}

/** PutEvents answers 200 with entries that failed; the integration fails then. */
function refuseFailedEntries(answer: Json): void {
  if (isObject(answer) && typeof answer.FailedEntryCount === 'number' && answer.FailedEntryCount > 0)
    throw new StatesError('EventBridge.FailedEntry', JSON.stringify(answer));
}

async function named(target: Target, { code, message }: AwsError): Promise<StatesError> {
  const shape = modelOf(target.service).error(code);
  const name = shape === undefined ? target.unmodelled : target.errorName(shape);
  return new StatesError(`${target.prefix}.${name}`, `${message} (Service: ${target.prefix}, Error Code: ${code})`);
}

/** What is wrong with the Tasks of a definition: services, operations and members that do not exist here. */
export async function integrationProblems(definition: Definition): Promise<readonly Problem[]> {
  const found = [...tasksOf(definition, '')].map(async ([state, location]): Promise<Problem[]> => {
    const resource = parseResource(state.Resource);
    if (typeof resource === 'string' || resource.pattern === 'function') return [];
    const target = targetOf(resource);
    if (!target) return [{ location, message: `The embedded cloud has no service for '${state.Resource}'` }];
    const operation = modelOf(target.service).operation(resource.operation);
    if (!operation) return [{ location, message: `'${resource.operation}' is no operation of ${target.service}` }];
    const unknown = isObject(state.Arguments) ? unknownMembers(operation, state.Arguments) : [];
    return unknown.map((name) => ({
      location: `${location}/Arguments`,
      message: `The field '${name}' is not supported by ${state.Resource}`,
    }));
  });
  return (await Promise.all(found)).flat();
}

function* tasksOf(flow: Flow, at: string): Generator<readonly [TaskState, string]> {
  for (const [name, state] of Object.entries(flow.States) as [string, State][]) {
    const location = `${at}/States/${name}`;
    if (state.Type === 'Task') yield [state, location];
    if (state.Type === 'Map') yield* tasksOf(state.ItemProcessor, `${location}/ItemProcessor`);
    if (state.Type === 'Parallel')
      for (const [index, branch] of state.Branches.entries()) yield* tasksOf(branch, `${location}/Branches[${index}]`);
  }
}
