/** Hands an answer to the execution that waits with a task token. In a module of its own: only a decision loads this client. */
import { InvalidToken, SendTaskSuccessCommand, SFNClient, TaskDoesNotExist, TaskTimedOut } from '@aws-sdk/client-sfn';
import { clientFor } from './clients.ts';

/** False where the execution does not wait with this token (any more). */
export async function answerTask(region: string, taskToken: string, answer: object): Promise<boolean> {
  try {
    const output = JSON.stringify(answer);
    await clientFor(SFNClient, region).send(new SendTaskSuccessCommand({ taskToken, output }));
    return true;
  } catch (error) {
    if (error instanceof TaskTimedOut || error instanceof TaskDoesNotExist || error instanceof InvalidToken)
      return false;
    throw error;
  }
}
