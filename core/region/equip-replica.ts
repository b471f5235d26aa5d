/** A replica that was made in another Region is given that Region's parameters before it counts as usable. */
import { DatabaseNotReady } from '../database/errors.ts';
import type { DatabaseInstance } from '../database/ports.ts';
import type { Replicas } from './ports.ts';

export type Equipping = Pick<Replicas, 'useParameters' | 'reboot'>;

/**
 * RDS for PostgreSQL takes no parameter group where a replica is made: one in another Region comes with the engine's
 * default (RDS service model, CreateDBInstanceReadReplica; hashicorp/terraform-provider-aws#38056). A group that is
 * associated afterwards applies with a reboot (User Guide, "Associating a DB parameter group with a DB instance"). Each
 * look does what is missing, so a repeated one, or one whose answer was lost, does nothing twice. Throws the retryable
 * DatabaseNotReady until nothing is. What is promoted by now may be production: nobody reboots that.
 */
export async function equipReplica(
  { identifier, settings, parameterStatus, replicaOf }: DatabaseInstance,
  parameterGroup: string,
  replicas: Equipping,
): Promise<void> {
  if (replicaOf === undefined) return;
  if (settings.parameterGroup !== parameterGroup) {
    await replicas.useParameters(identifier, parameterGroup);
    throw DatabaseNotReady(`${identifier} came with ${settings.parameterGroup}, and is being given ${parameterGroup}.`);
  }
  if (parameterStatus === 'pending-reboot') {
    await replicas.reboot(identifier);
    throw DatabaseNotReady(`${identifier} is rebooting into the parameters of ${parameterGroup}.`);
  }
  if (parameterStatus !== 'in-sync')
    throw DatabaseNotReady(`The parameters of ${parameterGroup} are ${parameterStatus} at ${identifier}.`);
}
