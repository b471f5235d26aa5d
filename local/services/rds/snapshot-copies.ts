/** Copies of snapshots, within a Region and from another. They survive their source, but need it while they are made. */
import type * as sdk from '@aws-sdk/client-rds';
import type { Operation } from '../../kernel.ts';
import { operation } from '../declare.ts';
import { AccessRules, requestTags, viaRds } from './access.ts';
import { checkEngine, defaultSettings, readIdentifier } from './defaults.ts';
import { showSnapshot } from './describe.ts';
import { invalidSnapshotState, keyNotAccessible, snapshotExists, snapshotQuotaExceeded } from './errors.ts';
import { encryptionOfCopy, isUsable, keyUse } from './keys.ts';
import { snapshotEvent } from './lifecycle.ts';
import { findSnapshot, requireRoom } from './snapshots.ts';
import { type Region, type Snapshot, tagMap } from './state.ts';

/** Copies from other Regions that may be in progress in one Region (User Guide, "Copying a DB snapshot"). */
const copiesAtOnce = 20;

/** Ids of the events of a copy from another Region, and of one within the Region. */
const events = {
  abroad: { started: 'RDS-EVENT-0059', finished: 'RDS-EVENT-0060', canceled: 'RDS-EVENT-0061' },
  within: { started: 'RDS-EVENT-0196', finished: 'RDS-EVENT-0197', canceled: 'RDS-EVENT-0190' },
} as const;

export function copyOperations(region: Region, rules: AccessRules): Record<string, Operation> {
  return {
    CopyDBSnapshot: operation<sdk.CopyDBSnapshotCommandInput, sdk.CopyDBSnapshotCommandOutput>(
      // PreSignedUrl is ignored but in GovCloud and China; the clients make it nevertheless. [RDS service model]
      [
        'SourceDBSnapshotIdentifier',
        'TargetDBSnapshotIdentifier',
        'KmsKeyId',
        'CopyTags',
        'Tags',
        'OptionGroupName',
        'PreSignedUrl',
      ],
      (input) => {
        const action = 'CopyDBSnapshot';
        const from = region.locate('snapshot', input.SourceDBSnapshotIdentifier);
        const tags = requestTags(input.Tags);
        return [
          rules.snapshot(action, input.TargetDBSnapshotIdentifier, tags),
          new AccessRules(from.region).snapshot(action, from.identifier, viaRds(region, from.region)),
          ...rules.addTags(region.arn('snapshot', input.TargetDBSnapshotIdentifier?.toLowerCase() ?? '*'), input.Tags),
          ...keyUse(region, input.KmsKeyId),
        ];
      },
      async (input) => {
        const identifier = readIdentifier('TargetDBSnapshotIdentifier', input.TargetDBSnapshotIdentifier, 255);
        const from = region.locate('snapshot', input.SourceDBSnapshotIdentifier);
        const { version } = await region.engine;
        checkEngine(version, { OptionGroupName: input.OptionGroupName });
        await region.reach(from.region, 'CopyDBSnapshot', input);
        const source = findSnapshot(from.region, from.identifier);
        if (region.snapshots.has(identifier)) throw snapshotExists(identifier);
        if (source.status !== 'available')
          throw invalidSnapshotState(`The DB snapshot ${source.identifier} is ${source.status}, not available.`);
        requireRoom(region);
        if (from.region !== region) requireTurn(region);
        const copy = record(region, from.region, source, identifier, input);
        region.background(() => fill(region, copy, from.region, source));
        return { DBSnapshot: showSnapshot(region, copy, version) };
      },
    ),
  };
}

function requireTurn(region: Region): void {
  const { home } = region;
  const inProgress = [...region.snapshots.values()].filter(
    ({ status, copyOf }) => status === 'creating' && copyOf !== undefined && copyOf.region !== home.region,
  );
  if (inProgress.length >= copiesAtOnce)
    throw snapshotQuotaExceeded(`Cannot copy more than ${copiesAtOnce} snapshots across regions simultaneously.`);
}

/** A copy is a manual snapshot, whatever its source is; it keeps which instance it is of. */
function record(
  region: Region,
  sourceRegion: Region,
  source: Snapshot,
  identifier: string,
  input: sdk.CopyDBSnapshotCommandInput,
): Snapshot {
  const { KmsKeyId: _, ...settings } = source.settings;
  const tags = [...(input.CopyTags ? source.tags : []), ...tagMap(input.Tags)];
  const copy: Snapshot = {
    identifier,
    type: 'manual',
    status: 'creating',
    source: source.source,
    instanceIdentifier: source.instanceIdentifier,
    settings: {
      ...settings,
      ...encryptionOfCopy(region, { region: sourceRegion, settings: source.settings }, input.KmsKeyId),
      ...(sourceRegion !== region && { AvailabilityZone: defaultSettings(region).AvailabilityZone }),
    },
    createdAt: region.home.clock.now(),
    tags: new Map(tags),
    copyOf: {
      arn: sourceRegion.arn('snapshot', source.identifier),
      region: sourceRegion.home.region,
      originalCreatedAt: source.copyOf?.originalCreatedAt ?? source.createdAt,
    },
  };
  region.snapshots.set(identifier, copy);
  copyEvent(region, copy, 'started');
  return copy;
}

/** Copies what the snapshot consists of. A copy that was deleted meanwhile was canceled, as one whose source is gone. */
async function fill(region: Region, copy: Snapshot, sourceRegion: Region, source: Snapshot): Promise<void> {
  const started = region.home.clock.now();
  try {
    const engine = await region.engine;
    if (source.backup === undefined || engine.copyBackup === undefined)
      throw new Error('The source has nothing that could be copied.');
    copy.backup = await engine.copyBackup(source.backup);
    if (source.archive !== undefined) {
      copy.archive = await engine.createArchive();
      await engine.copyArchive?.(source.archive, copy.archive);
    }
    await region.reach(sourceRegion, 'CopyDBSnapshot', { SourceDBSnapshotIdentifier: copy.copyOf?.arn });
    if (!isUsable(sourceRegion, source.settings.KmsKeyId)) throw keyNotAccessible(source.settings.KmsKeyId ?? '');
    if (!isUsable(region, copy.settings.KmsKeyId)) throw keyNotAccessible(copy.settings.KmsKeyId ?? '');
  } catch (error) {
    copy.status = 'failed';
    return cancel(region, copy, `: ${(error as Error).message}`);
  }
  if (region.snapshots.get(copy.identifier) !== copy) return cancel(region, copy);
  copy.status = 'available';
  copyEvent(region, copy, 'finished', ` in ${Math.ceil((region.home.clock.now() - started) / 60_000)} minutes`);
}

async function cancel(region: Region, copy: Snapshot, reason = ''): Promise<void> {
  await Promise.all([copy.backup?.delete(), copy.archive?.delete()]);
  copyEvent(region, copy, 'canceled', reason);
}

function copyEvent(region: Region, copy: Snapshot, what: keyof typeof events.abroad, more = ''): void {
  const from = copy.copyOf?.region ?? region.home.region;
  const abroad = from !== region.home.region;
  const id = events[abroad ? 'abroad' : 'within'][what];
  snapshotEvent(region, copy, id, ` ${copy.identifier} ${abroad ? 'from' : 'in'} region ${from}${more}`);
}
