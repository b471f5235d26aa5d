/** `dr cancel`: stops the execution that works on an incident; the product then undoes and closes it. */
import { DescribeExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import type { Incident } from '../../core/incident/contracts.ts';
import { canAsk, confirm } from '../ask.ts';
import { type ExitCode, exitCodes, UsageError } from '../exit-codes.ts';
import { dr } from '../hints.ts';
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
    process.stderr.write(`There is nothing to cancel: the execution of ${incident.id} ended ${status}.\n`);
    process.stderr.write(`How it went: ${dr(`watch ${incident.id}`)}\n`);
    return exitCodes.failed;
  }
  if (!options.yes && !(await isWanted(incident))) {
    process.stderr.write(`Nothing was stopped: ${incident.id} goes on. Follow it: ${dr(`watch ${incident.id}`)}\n`);
    return exitCodes.failed;
  }
  await sfn.send(new StopExecutionCommand({ executionArn, error: 'Cancelled', cause: options.reason }));
  process.stdout.write(`${incident.id} is stopped. ${undoing(incident)}\nFollow that: ${dr(`watch ${incident.id}`)}\n`);
  return exitCodes.passed;
}

const undoing = ({ mode }: Incident) =>
  mode === 'drill'
    ? 'Its copy is deleted now; production was not touched.'
    : 'What it changed is undone now; if it had cut over already, the new database stays production.';

async function isWanted(incident: Incident): Promise<boolean> {
  if (!canAsk()) throw new UsageError('--yes is missing, and there is no terminal to ask on. Give --yes to stop it.');
  const what = incident.mode === 'drill' ? 'drill' : 'RECOVERY OF PRODUCTION';
  return confirm(`Stop the ${what} ${incident.id}? ${undoing(incident)}`);
}
