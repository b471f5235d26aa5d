/** Step Functions, as the product starts and watches its own recoveries. */
import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import type { Executions } from '../../../core/incident/ports.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from './clients.ts';

/** An ARN says in which Region its execution is: arn:aws:states:<region>:… */
const regionOf = (arn: string) => arn.split(':')[3] ?? '';
const clientOf = (arn: string) => clientFor(SFNClient, regionOf(arn));

export function executions({ settings, here }: Pick<Runtime, 'settings' | 'here'>): Executions {
  const arn = (kind: string, name: string) => `arn:aws:states:${here.region}:${settings.account}:${kind}:${name}`;
  return {
    async status(executionArn) {
      try {
        const { status } = await clientOf(executionArn).send(new DescribeExecutionCommand({ executionArn }));
        return status;
      } catch (error) {
        if (error instanceof ExecutionDoesNotExist) return undefined;
        throw error;
      }
    },
    async start(stateMachineName, name, input) {
      const stateMachineArn = arn('stateMachine', stateMachineName);
      const executionArn = arn('execution', `${stateMachineName}:${name}`);
      try {
        const command = new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) });
        await clientOf(stateMachineArn).send(command);
      } catch (error) {
        // The same signal, delivered again: its execution is there.
        if (!(error instanceof ExecutionAlreadyExists)) throw error;
      }
      return { executionArn };
    },
    async stop(executionArn, cause) {
      try {
        await clientOf(executionArn).send(new StopExecutionCommand({ executionArn, cause }));
      } catch (error) {
        if (!(error instanceof ExecutionDoesNotExist)) throw error;
      }
    },
  };
}
