/** `dr start` and `dr retry`: an execution of database-recovery, as the console would start it. */
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import type * as z from 'zod';
import type { StartRequest } from '../../core/incident/contracts.ts';
import { type ExitCode, exitCodes, UsageError } from '../exit-codes.ts';
import { type Operator, operatorAt, requireIncident } from '../operator.ts';
import type { RetryOptions, StartOptions } from '../operator-options.ts';

type Request = z.input<typeof StartRequest>;

export async function start(options: StartOptions): Promise<ExitCode> {
  const { mode, reason, restoreTo, requestId, confirm } = options;
  return execute(await operatorAt(options), {
    mode,
    reason,
    ...(restoreTo === undefined ? {} : { restoreTo }),
    ...(requestId === undefined ? {} : { requestId }),
    ...(confirm === undefined ? {} : { confirm }),
  });
}

/** Naming the failed incident is the confirmation: nothing but what it was about can be recovered. */
export async function retry(options: RetryOptions): Promise<ExitCode> {
  const { incident, reason, restoreTo, environment } = options;
  const operator = await operatorAt(options);
  const { status } = await requireIncident(operator, incident);
  if (status === 'closed') throw new UsageError(`${incident} succeeded. There is nothing to retry.`);
  return execute(operator, {
    mode: 'recovery',
    confirm: environment,
    incident,
    reason,
    ...(restoreTo === undefined ? {} : { restoreTo }),
  });
}

/** Exit 0: started. Whether it is accepted, and how it goes, `dr watch` shows. */
async function execute({ here, names, region }: Operator, request: Request): Promise<ExitCode> {
  const { executionArn } = await here.sfn.send(
    new StartExecutionCommand({
      stateMachineArn: names.stateMachineArn(region, 'database-recovery'),
      input: JSON.stringify(request),
    }),
  );
  process.stdout.write(`Started ${executionArn}\nFollow it with: npm run dr -- watch\n`);
  return exitCodes.passed;
}
