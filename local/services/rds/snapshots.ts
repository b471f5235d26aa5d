/** Snapshots: real base backups that stand alone. */
import type * as sdk from '@aws-sdk/client-rds';
import type { Operation } from '../../kernel.ts';
import { operation } from '../declare.ts';
import { quotaOf } from '../service-quotas/index.ts';
import { type AccessRules, requestTags } from './access.ts';
import { readIdentifier } from './defaults.ts';
import { filter, paginate, showSnapshot } from './describe.ts';
import {
  invalidSnapshotState,
  invalidValue,
  snapshotExists,
  snapshotNotFound,
  snapshotQuotaExceeded,
} from './errors.ts';
import { copyOf, findInstance, instanceEvent, requireStatus, snapshotEvent } from './lifecycle.ts';
import { type Instance, type Region, type Snapshot, type Tags, tagMap } from './state.ts';

/** Throws SnapshotQuotaExceededFault where the Region has as many manual snapshots as its quota allows. */
export function requireRoom(region: Region): void {
  const quota = quotaOf(region.home, 'rds', 'L-272F1212');
  const manual = [...region.snapshots.values()].filter(({ type }) => type === 'manual').length;
  if (manual >= quota) throw snapshotQuotaExceeded(`Cannot create more than ${quota} manual snapshots.`);
}

export function findSnapshot(region: Region, identifier: string | undefined): Snapshot {
  const id = identifier?.includes(':snapshot:') ? identifier.slice(region.arn('snapshot', '').length) : identifier;
  const snapshot = region.snapshots.get(id?.toLowerCase() ?? '');
  if (snapshot === undefined) throw snapshotNotFound(identifier ?? '');
  return snapshot;
}

/** Takes a manual snapshot; resolves when it is available. The caller has set the instance's status. */
export async function makeSnapshot(region: Region, instance: Instance, identifier: string, tags: Tags): Promise<void> {
  await takeSnapshot(region, instance, recordSnapshot(region, instance, identifier, tags));
}

function recordSnapshot(region: Region, instance: Instance, identifier: string, tags: Tags): Snapshot {
  const snapshot: Snapshot = {
    ...copyOf(instance),
    identifier,
    type: 'manual',
    status: 'creating',
    createdAt: region.home.clock.now(),
    tags: new Map(tags),
  };
  region.snapshots.set(identifier, snapshot);
  snapshotEvent(region, snapshot, 'RDS-EVENT-0040');
  return snapshot;
}

async function takeSnapshot(region: Region, instance: Instance, snapshot: Snapshot): Promise<void> {
  instanceEvent(region, instance, 'RDS-EVENT-0001');
  try {
    const backup = await instance.database?.backup('standalone');
    if (backup === undefined) throw new Error('The instance has no database.');
    snapshot.backup = backup;
    snapshot.status = 'available';
  } catch (error) {
    snapshot.status = 'failed';
    throw error;
  }
  snapshotEvent(region, snapshot, 'RDS-EVENT-0042');
  instanceEvent(region, instance, 'RDS-EVENT-0002');
}

export function snapshotOperations(region: Region, rules: AccessRules): Record<string, Operation> {
  const show = async (snapshot: Snapshot) => ({
    DBSnapshot: showSnapshot(region, snapshot, (await region.engine).version),
  });
  return {
    CreateDBSnapshot: operation<sdk.CreateDBSnapshotCommandInput, sdk.CreateDBSnapshotCommandOutput>(
      ['DBInstanceIdentifier', 'DBSnapshotIdentifier', 'Tags'],
      (input) => {
        const tags = requestTags(input.Tags);
        return [
          rules.instance('CreateDBSnapshot', input.DBInstanceIdentifier, tags),
          rules.snapshot('CreateDBSnapshot', input.DBSnapshotIdentifier, tags),
          ...rules.addTags(region.arn('snapshot', input.DBSnapshotIdentifier?.toLowerCase() ?? '*'), input.Tags),
        ];
      },
      (input) => {
        const identifier = readIdentifier('DBSnapshotIdentifier', input.DBSnapshotIdentifier, 255);
        const instance = findInstance(region, input.DBInstanceIdentifier);
        if (region.snapshots.has(identifier)) throw snapshotExists(identifier);
        requireStatus(instance, 'available');
        requireRoom(region);
        // CopyTagsToSnapshot adds the instance's tags to those of the call.
        const inherited: Tags = instance.settings.CopyTagsToSnapshot ? instance.tags : new Map();
        const snapshot = recordSnapshot(region, instance, identifier, new Map([...inherited, ...tagMap(input.Tags)]));
        instance.status = 'backing-up';
        region.background(async () => {
          try {
            await takeSnapshot(region, instance, snapshot);
          } finally {
            if (instance.status === 'backing-up') instance.status = 'available';
          }
        });
        return show(snapshot);
      },
    ),

    DescribeDBSnapshots: operation<sdk.DescribeDBSnapshotsCommandInput, sdk.DescribeDBSnapshotsCommandOutput>(
      [
        'DBInstanceIdentifier',
        'DBSnapshotIdentifier',
        'DbiResourceId',
        'SnapshotType',
        'Filters',
        'MaxRecords',
        'Marker',
      ],
      (input) => rules.snapshot('DescribeDBSnapshots', input.DBSnapshotIdentifier),
      async (input) => {
        const {
          DBInstanceIdentifier: of,
          DBSnapshotIdentifier: id,
          DbiResourceId: resource,
          SnapshotType: type,
        } = input;
        if (type !== undefined && !['manual', 'automated'].includes(type)) {
          throw invalidValue(`The embedded cloud has no snapshots of type ${type}, only manual and automated`);
        }
        const chosen = id === undefined ? [...region.snapshots.values()] : [findSnapshot(region, id)];
        const found = filter(
          chosen.filter(
            (snapshot) =>
              (of === undefined || snapshot.instanceIdentifier === of.toLowerCase()) &&
              (resource === undefined || snapshot.source.resourceId === resource) &&
              (type === undefined || snapshot.type === type),
          ),
          input.Filters,
          {
            'db-instance-id': ({ instanceIdentifier }) => [instanceIdentifier, region.arn('db', instanceIdentifier)],
            'db-snapshot-id': ({ identifier }) => [identifier],
            'dbi-resource-id': ({ source }) => [source.resourceId],
            'snapshot-type': (snapshot) => [snapshot.type],
            engine: () => ['postgres'],
          },
        );
        const ordered = found.toSorted((a, b) => (a.identifier < b.identifier ? -1 : 1));
        const { items, ...marker } = paginate(ordered, input);
        if (items.length === 0) return { DBSnapshots: [] };
        const { version } = await region.engine;
        return { DBSnapshots: items.map((snapshot) => showSnapshot(region, snapshot, version)), ...marker };
      },
    ),

    DeleteDBSnapshot: operation<sdk.DeleteDBSnapshotCommandInput, sdk.DeleteDBSnapshotCommandOutput>(
      ['DBSnapshotIdentifier'],
      (input) => rules.snapshot('DeleteDBSnapshot', input.DBSnapshotIdentifier),
      async (input) => {
        const snapshot = findSnapshot(region, input.DBSnapshotIdentifier);
        if (snapshot.type === 'automated') {
          throw invalidSnapshotState(`DeleteDBSnapshot can only be used on manual snapshots: ${snapshot.identifier}`);
        }
        const isCopied = snapshot.status === 'creating' && snapshot.copyOf !== undefined;
        if (snapshot.status === 'creating' && !isCopied) {
          throw invalidSnapshotState(
            `Cannot delete the snapshot because it is not currently in the available or failed state.`,
          );
        }
        const shown = await show(snapshot);
        region.snapshots.delete(snapshot.identifier);
        // Deleting it cancels a copy in progress, which then removes what it copied.
        if (isCopied) return { DBSnapshot: { ...shown.DBSnapshot, Status: 'deleted' } };
        await Promise.all([snapshot.backup?.delete(), snapshot.archive?.delete()]);
        snapshotEvent(region, snapshot, 'RDS-EVENT-0041');
        return { DBSnapshot: { ...shown.DBSnapshot, Status: 'deleted' } };
      },
    ),
  };
}
