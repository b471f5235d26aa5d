/** `lambda:invoke`: JSON in, JSON out, and a function's own error as the Task's. */
import { StatesError } from '../../states/errors.ts';
import { isObject, type Json, type JsonObject } from '../../states/json.ts';
import type { Caller } from './caller.ts';

const members = new Set(['FunctionName', 'Payload', 'InvocationType', 'Qualifier', 'ClientContext']);

export type Invocation = JsonObject & { readonly Payload: Json };

/** The integration's result: ExecutedVersion, Payload, StatusCode. */
export async function invokeFunction({ home, role }: Caller, given: Json): Promise<Invocation> {
  if (!isObject(given)) throw new StatesError('States.Runtime', 'The arguments of lambda:invoke must be an object');
  const unknown = Object.keys(given).find((name) => !members.has(name));
  if (unknown) throw new StatesError('States.Runtime', `The field '${unknown}' is not supported by Step Functions`);
  const { Payload = {}, ...rest } = given;
  const answer = await home.call<{
    StatusCode?: number;
    ExecutedVersion?: string;
    FunctionError?: string;
    Payload?: Uint8Array;
  }>('lambda', 'Invoke', { ...rest, Payload: Buffer.from(JSON.stringify(Payload)) }, role);
  const text = Buffer.from(answer.Payload ?? []).toString();
  if (answer.FunctionError) throw functionError(text);
  const { StatusCode = 200, ExecutedVersion = '$LATEST' } = answer;
  return { ExecutedVersion, Payload: text === '' ? null : (JSON.parse(text) as Json), StatusCode };
}

/** The error's name is the payload's errorType, its cause the payload as it came. */
function functionError(text: string): StatesError {
  let payload: unknown;
  try {
    payload = JSON.parse(text);
  } catch {
    payload = undefined;
  }
  const name = isObject(payload) && typeof payload.errorType === 'string' && payload.errorType;
  return new StatesError(name || 'Lambda.Unknown', text);
}
