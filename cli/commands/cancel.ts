/** `dr cancel`: stops the execution that works on an incident; the product then undoes and closes it. */
import { DescribeExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { ask, canAsk, isYes } from '../ask.ts';
import { type ExitCode, exitCodes, UsageError } from '../exit-codes.ts';
import { operatorAt, requireIncident } from '../operator.ts';
import type { CancelOptions } from '../operator-options.ts';

/** Exit 0: stopped. 1: there was nothing to stop, or the answer was no. */
export async function cancel(options: CancelOptions): Promise<ExitCode> {
  const operator = await operatorAt(options);
  const { sfn } = operator.here;
  const { incident } = await requireIncident(operator, options.incident);
  const { executionArn } = incident;
  const { status } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
  if (status !== 'RUNNING') {
    process.stderr.write(`${incident.id} is not being worked on: its execution ended ${status}.\n`);
    return exitCodes.failed;
  }
  if (!options.yes && !(await isWanted(incident.id))) {
    process.stderr.write(`${incident.id} goes on.\n`);
    return exitCodes.failed;
  }
  await sfn.send(new StopExecutionCommand({ executionArn, error: 'Cancelled', cause: options.reason }));
  process.stdout.write(
    `${incident.id} is stopped. What it had changed is undone now; follow it with: npm run dr -- watch ${incident.id}\n`,
  );
  return exitCodes.passed;
}

async function isWanted(incident: string): Promise<boolean> {
  if (!canAsk()) throw new UsageError('--yes is missing, and there is no terminal to ask on. Give --yes to stop it.');
  return isYes(await ask(`Stop the recovery of ${incident}? What it changed is undone. [y/N] `));
}
