/** DeleteDBInstance, and what becomes of what depends on the instance: backups and replicas. */
import type * as sdk from '@aws-sdk/client-rds';
import type { Operation } from '../../kernel.ts';
import { operation } from '../declare.ts';
import type { AccessRules } from './access.ts';
import { readIdentifier } from './defaults.ts';
import { showInstance } from './describe.ts';
import { invalidCombination, invalidState, snapshotExists } from './errors.ts';
import { deleteBackups, findInstance, instanceEvent, replicasOf, requireStatus, uploadNow } from './lifecycle.ts';
import { promote, terminateReplication } from './replicas.ts';
import { makeSnapshot } from './snapshots.ts';
import type { Instance, Region } from './state.ts';

/** Statuses in which an instance can be deleted; others are on their way to one of these. */
const deletable = ['available', 'stopped', 'failed', 'incompatible-restore', 'incompatible-parameters', 'storage-full'];

export function deleteOperations(region: Region, rules: AccessRules): Record<string, Operation> {
  return {
    DeleteDBInstance: operation<sdk.DeleteDBInstanceCommandInput, sdk.DeleteDBInstanceCommandOutput>(
      ['DBInstanceIdentifier', 'SkipFinalSnapshot', 'FinalDBSnapshotIdentifier', 'DeleteAutomatedBackups'],
      (input) => {
        const final = input.FinalDBSnapshotIdentifier;
        return [
          rules.instance('DeleteDBInstance', input.DBInstanceIdentifier),
          ...(final
            ? [
                rules.instance('CreateDBSnapshot', input.DBInstanceIdentifier),
                rules.snapshot('CreateDBSnapshot', final),
              ]
            : []),
        ];
      },
      async (input) => {
        const instance = findInstance(region, input.DBInstanceIdentifier);
        const final = input.FinalDBSnapshotIdentifier;
        if (instance.status === 'deleting')
          throw invalidState(`Instance ${instance.identifier} is already being deleted.`);
        if (instance.settings.DeletionProtection) {
          throw invalidCombination(
            'Cannot delete protected DB Instance, please disable deletion protection and try again.',
          );
        }
        if (!input.SkipFinalSnapshot && final === undefined) {
          throw invalidCombination('FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.');
        }
        if (input.SkipFinalSnapshot && final !== undefined) {
          throw invalidCombination('FinalDBSnapshotIdentifier cannot be specified when SkipFinalSnapshot is true.');
        }
        if (instance.following !== undefined && !input.SkipFinalSnapshot) {
          throw invalidCombination(
            'FinalDBSnapshotIdentifier can not be specified when deleting a replica instance: set SkipFinalSnapshot.',
          );
        }
        requireStatus(instance, ...deletable);
        if (final !== undefined) {
          requireStatus(instance, 'available');
          if (region.snapshots.has(readIdentifier('FinalDBSnapshotIdentifier', final, 255)))
            throw snapshotExists(final);
        }
        instance.status = 'deleting';
        region.background(() => remove(region, instance, final?.toLowerCase(), input.DeleteAutomatedBackups ?? true));
        return { DBInstance: showInstance(region, instance, (await region.engine).version) };
      },
    ),
  };
}

async function remove(
  region: Region,
  instance: Instance,
  final: string | undefined,
  withBackups: boolean,
): Promise<void> {
  if (final !== undefined)
    await makeSnapshot(region, instance, final, instance.settings.CopyTagsToSnapshot ? instance.tags : new Map());
  const { backups } = instance;
  if (backups !== undefined && !withBackups) await uploadNow(backups);
  await instance.database?.destroy();
  delete instance.database;
  delete instance.backups;
  if (backups !== undefined && withBackups) await deleteBackups(region, backups);
  else if (backups !== undefined) backups.status = 'retained';
  region.instances.delete(instance.identifier);
  instanceEvent(region, instance, 'RDS-EVENT-0003');
  loseSource(region, instance);
}

/** Replicas in the Region become instances of their own, those of other Regions stay replicas of nothing (User Guide, "Cross-Region replication considerations"). */
function loseSource(region: Region, source: Instance): void {
  for (const { region: there, instance } of replicasOf(region, source)) {
    if (there === region) promote(region, instance);
    else terminateReplication(there, instance);
  }
}
