/** Credentials from Secrets Manager of the function's own Region; a replicated secret has the same name there. */
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import { RoleUnusable } from '../../../core/database/errors.ts';
import type { Secrets } from '../../../core/database/ports.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from './clients.ts';

/** RDS and Terraform add host, port, engine …: the endpoint comes from elsewhere (a replica's secret names the primary). */
const Content = z.object({ username: z.string().min(1), password: z.string().min(1) });

export function secrets({ here }: Pick<Runtime, 'here'>): Secrets {
  return {
    /** Read anew every time: a rotated password must not be met by a cached one. */
    async credentials(SecretId) {
      const { SecretString } = await clientFor(SecretsManagerClient, here.region).send(
        new GetSecretValueCommand({ SecretId }),
      );
      const parsed = Content.safeParse(readJson(SecretString));
      // The reason is left out: it could quote the secret.
      if (!parsed.success) throw RoleUnusable(`Secret ${SecretId} holds no { "username", "password" }.`);
      return parsed.data;
    },
  };
}

function readJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
