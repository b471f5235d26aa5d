/** Parameters of the function's own Region: endpoints and addresses, no secrets. */
import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { Parameters } from '../../../core/database/ports.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from './clients.ts';

export function parameters({ here }: Pick<Runtime, 'here'>): Parameters {
  const client = clientFor(SSMClient, here.region);
  return {
    async read(Name) {
      try {
        return (await client.send(new GetParameterCommand({ Name }))).Parameter?.Value;
      } catch (error) {
        if (error instanceof Error && error.name === 'ParameterNotFound') return undefined;
        throw error;
      }
    },
    async write(Name, Value) {
      await client.send(new PutParameterCommand({ Name, Value, Type: 'String', Overwrite: true }));
    },
  };
}
