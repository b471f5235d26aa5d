/** Whether an execution still runs: a function outlives the one that called it, and must not act for it any more. */
import type { Incident } from './contracts.ts';
import type { Executions } from './ports.ts';

/** In words, where the execution does not run any more. */
export async function endOf(
  { id, executionArn }: Pick<Incident, 'id' | 'executionArn'>,
  executions: Pick<Executions, 'status'>,
): Promise<string | undefined> {
  const status = await executions.status(executionArn);
  return status === 'RUNNING' ? undefined : `The execution of ${id} is ${status ?? 'gone'}`;
}
