/** Builds that no state machine waits for. */
import { CodeBuildClient, StartBuildCommand } from '@aws-sdk/client-codebuild';
import type { Builds } from '../../../core/configuration/ports.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from './clients.ts';

export function builds({ here }: Pick<Runtime, 'here'>): Builds {
  return {
    async start(projectName, idempotencyToken, variables) {
      const { build } = await clientFor(CodeBuildClient, here.region).send(
        new StartBuildCommand({
          projectName,
          idempotencyToken,
          environmentVariablesOverride: Object.entries(variables).map(([name, value]) => ({
            name,
            value,
            type: 'PLAINTEXT',
          })),
        }),
      );
      return build?.id ?? '';
    },
  };
}
