/** Whether secrets are there, and out of their recovery window again; their values are read by nobody here. */
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  ReplicateSecretToRegionsCommand,
  RestoreSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { DrillSecrets, ProtectedSecrets } from '../../../core/configuration/ports.ts';
import { otherRegion } from '../../../core/settings.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from './clients.ts';

/** The shortest that Secrets Manager has. */
const recoveryDays = 7;
const isNamed = (error: unknown, name: string) => error instanceof Error && error.name === name;

export function protectedSecrets({
  settings,
  here,
}: Pick<Runtime, 'settings' | 'here'>): ProtectedSecrets & DrillSecrets {
  const client = clientFor(SecretsManagerClient, here.region);
  const other = otherRegion(settings, here).region;
  const state: ProtectedSecrets['state'] = async (SecretId) => {
    try {
      const secret = await client.send(new DescribeSecretCommand({ SecretId }));
      const { DeletedDate, PrimaryRegion = here.region, ReplicationStatus = [] } = secret;
      if (DeletedDate !== undefined) return 'deleting';
      // After a failover what is here is the replica: it has none of its own.
      const isReplicated = PrimaryRegion !== here.region || ReplicationStatus.some(({ Region }) => Region === other);
      return isReplicated ? 'there' : 'unreplicated';
    } catch (error) {
      if (isNamed(error, 'ResourceNotFoundException')) return 'absent';
      throw error;
    }
  };
  const restore = async (SecretId: string) => {
    if ((await state(SecretId)) === 'deleting') await client.send(new RestoreSecretCommand({ SecretId }));
  };
  return {
    state,
    restore,
    async replicate(SecretId) {
      if ((await state(SecretId)) !== 'unreplicated') return;
      const AddReplicaRegions = [{ Region: other }];
      await client.send(new ReplicateSecretToRegionsCommand({ SecretId, AddReplicaRegions }));
    },
    async make(Name) {
      await restore(Name);
      const SecretString = JSON.stringify({ purpose: 'a drill of the configuration recovery' });
      await client.send(new CreateSecretCommand({ Name, SecretString })).catch((error: unknown) => {
        if (!isNamed(error, 'ResourceExistsException')) throw error;
      });
    },
    async schedule(SecretId) {
      if (['deleting', 'absent'].includes(await state(SecretId))) return;
      await client.send(new DeleteSecretCommand({ SecretId, RecoveryWindowInDays: recoveryDays }));
    },
    async remove(SecretId) {
      if ((await state(SecretId)) === 'absent') return;
      await client.send(new DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true }));
    },
  };
}
