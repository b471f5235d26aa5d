/** The operations by which whoever holds a task's token reports on it. */
import type * as Sfn from '@aws-sdk/client-sfn';
import { type Access, AwsError, type Operation } from '../../kernel.ts';
import type { Callbacks } from '../../states/callbacks.ts';
import { dataLimitBytes, type Json } from '../../states/json.ts';
import { operation } from '../declare.ts';

export function taskOperations(callbacks: Callbacks): Record<string, Operation> {
  /** Policies grant these on the state machine whose task waits (CDK's grantTaskResponse); an unknown token has none. */
  const access =
    (action: string) =>
    (input: { taskToken?: string | undefined }): Access => ({
      action: `states:${action}`,
      resources: [callbacks.ownerOf(input.taskToken ?? '') ?? '*'],
    });
  return {
    SendTaskSuccess: operation<Sfn.SendTaskSuccessInput, Sfn.SendTaskSuccessOutput>(
      ['taskToken', 'output'],
      access('SendTaskSuccess'),
      (input) => {
        callbacks.succeed(input.taskToken ?? '', parseOutput(input.output ?? ''));
        return {};
      },
    ),
    SendTaskFailure: operation<Sfn.SendTaskFailureInput, Sfn.SendTaskFailureOutput>(
      ['taskToken', 'error', 'cause'],
      access('SendTaskFailure'),
      (input) => {
        callbacks.fail(input.taskToken ?? '', input.error, input.cause);
        return {};
      },
    ),
    SendTaskHeartbeat: operation<Sfn.SendTaskHeartbeatInput, Sfn.SendTaskHeartbeatOutput>(
      ['taskToken'],
      access('SendTaskHeartbeat'),
      (input) => {
        callbacks.beat(input.taskToken ?? '');
        return {};
      },
    ),
  };
}

function parseOutput(output: string): Json {
  try {
    if (Buffer.byteLength(output) <= dataLimitBytes) return JSON.parse(output) as Json;
  } catch {
    // Falls through to the one error for both.
  }
  throw new AwsError('InvalidOutput', `Invalid Output: it must be JSON of at most ${dataLimitBytes} bytes`);
}
