/** Subnet groups, tags, events and automated backups: what is only recorded or read. */
import type * as sdk from '@aws-sdk/client-rds';
import { AwsError, type Operation } from '../../kernel.ts';
import { operation } from '../declare.ts';
import { type AccessRules, requestTags } from './access.ts';
import { defaultGroupName } from './defaults.ts';
import { backupsArn, filter, paginate, showAutomatedBackup, showSubnetGroup } from './describe.ts';
import {
  automatedBackupNotFound,
  instanceNotFound,
  invalidCombination,
  invalidValue,
  missing,
  parameterGroupNotFound,
  snapshotNotFound,
  subnetGroupNotFound,
} from './errors.ts';
import { deleteBackups } from './lifecycle.ts';
import { type Region, type SubnetGroup, type Tags, tagList, tagMap } from './state.ts';

export function catalogueOperations(region: Region, rules: AccessRules): Record<string, Operation> {
  return {
    ...subnetGroupOperations(region, rules),
    ...tagOperations(region, rules),
    ...automatedBackupOperations(region, rules),

    DescribeEvents: operation<sdk.DescribeEventsCommandInput, sdk.DescribeEventsCommandOutput>(
      ['SourceIdentifier', 'SourceType', 'StartTime', 'EndTime', 'Duration', 'EventCategories', 'MaxRecords', 'Marker'],
      () => ({ action: 'rds:DescribeEvents', resources: ['*'] }),
      (input) => {
        const now = region.home.clock.now();
        if (input.SourceIdentifier !== undefined && input.SourceType === undefined) {
          throw invalidCombination('SourceType must be provided with SourceIdentifier.');
        }
        const to = input.EndTime?.getTime() ?? now;
        // Duration is in minutes, an hour unless said otherwise.
        const from = input.StartTime?.getTime() ?? to - (input.Duration ?? 60) * 60 * 1000;
        const found = region.events.all.filter(
          (event) =>
            event.Date.getTime() >= from &&
            event.Date.getTime() <= to &&
            (input.SourceIdentifier === undefined || event.SourceIdentifier === input.SourceIdentifier) &&
            (input.SourceType === undefined || event.SourceType === input.SourceType) &&
            (input.EventCategories?.every((category) => event.EventCategories.includes(category)) ?? true),
        );
        const { items, ...marker } = paginate(found, input);
        return { Events: items.map((event) => ({ ...event, EventCategories: [...event.EventCategories] })), ...marker };
      },
    ),

    DescribePendingMaintenanceActions: operation<
      sdk.DescribePendingMaintenanceActionsCommandInput,
      sdk.DescribePendingMaintenanceActionsCommandOutput
    >(
      ['ResourceIdentifier', 'Filters', 'MaxRecords', 'Marker'],
      (input) => rules.tagged('DescribePendingMaintenanceActions', input.ResourceIdentifier ?? region.arn('db', '*')),
      // The embedded cloud never has maintenance to offer.
      () => ({ PendingMaintenanceActions: [] }),
    ),
  };
}

function subnetGroupOperations(region: Region, rules: AccessRules): Record<string, Operation> {
  return {
    CreateDBSubnetGroup: operation<sdk.CreateDBSubnetGroupCommandInput, sdk.CreateDBSubnetGroupCommandOutput>(
      ['DBSubnetGroupName', 'DBSubnetGroupDescription', 'SubnetIds', 'Tags'],
      (input) => {
        const { DBSubnetGroupName: name, Tags } = input;
        const access = rules.subnetGroup('CreateDBSubnetGroup', name?.toLowerCase(), requestTags(Tags));
        return [access, ...rules.addTags(region.arn('subgrp', name?.toLowerCase() ?? '*'), Tags)];
      },
      (input) => {
        const name = input.DBSubnetGroupName?.toLowerCase() ?? '';
        if (!/^[a-z0-9_. -]{1,255}$/.test(name) || name === defaultGroupName) {
          throw invalidValue(`The parameter DBSubnetGroupName is not a valid identifier: ${name}`);
        }
        if (region.subnetGroups.has(name)) {
          throw new AwsError('DBSubnetGroupAlreadyExistsFault', `The DB subnet group '${name}' already exists.`);
        }
        const description = input.DBSubnetGroupDescription;
        if (description === undefined) throw missing('DBSubnetGroupDescription');
        const subnetIds = input.SubnetIds ?? [];
        if (subnetIds.length < 2) {
          throw new AwsError(
            'DBSubnetGroupDoesNotCoverEnoughAZs',
            'The DB subnet group must have subnets in at least two Availability Zones.',
          );
        }
        const group: SubnetGroup = { name, description, subnetIds, tags: tagMap(input.Tags) };
        region.subnetGroups.set(name, group);
        return { DBSubnetGroup: showSubnetGroup(region, group) };
      },
    ),

    DescribeDBSubnetGroups: operation<sdk.DescribeDBSubnetGroupsCommandInput, sdk.DescribeDBSubnetGroupsCommandOutput>(
      ['DBSubnetGroupName', 'MaxRecords', 'Marker'],
      (input) => rules.subnetGroup('DescribeDBSubnetGroups', input.DBSubnetGroupName),
      (input) => {
        const name = input.DBSubnetGroupName?.toLowerCase();
        if (name !== undefined && name !== defaultGroupName && !region.subnetGroups.has(name))
          throw subnetGroupNotFound(name);
        const all = [
          showSubnetGroup(region, undefined),
          ...[...region.subnetGroups.values()].map((group) => showSubnetGroup(region, group)),
        ];
        const { items, ...marker } = paginate(
          all.filter((group) => name === undefined || group.DBSubnetGroupName === name),
          input,
        );
        return { DBSubnetGroups: [...items], ...marker };
      },
    ),
  };
}

function tagOperations(region: Region, rules: AccessRules): Record<string, Operation> {
  return {
    AddTagsToResource: operation<sdk.AddTagsToResourceCommandInput, sdk.AddTagsToResourceCommandOutput>(
      ['ResourceName', 'Tags'],
      (input) => rules.tagged('AddTagsToResource', input.ResourceName, requestTags(input.Tags)),
      (input) => {
        const tags = tagsOf(region, input.ResourceName);
        for (const [key, value] of tagMap(input.Tags)) tags.set(key, value);
        return {};
      },
    ),
    RemoveTagsFromResource: operation<sdk.RemoveTagsFromResourceCommandInput, sdk.RemoveTagsFromResourceCommandOutput>(
      ['ResourceName', 'TagKeys'],
      (input) => rules.tagged('RemoveTagsFromResource', input.ResourceName, { 'aws:TagKeys': input.TagKeys ?? [] }),
      (input) => {
        const tags = tagsOf(region, input.ResourceName);
        for (const key of input.TagKeys ?? []) tags.delete(key);
        return {};
      },
    ),
    ListTagsForResource: operation<sdk.ListTagsForResourceCommandInput, sdk.ListTagsForResourceCommandOutput>(
      ['ResourceName'],
      (input) => rules.tagged('ListTagsForResource', input.ResourceName),
      (input) => ({ TagList: tagList(tagsOf(region, input.ResourceName)) }),
    ),
  };
}

function tagsOf(region: Region, arn: string | undefined): Tags {
  const [type, ...rest] = (arn ?? '').split(':').slice(5);
  const name = rest.join(':');
  const stores = {
    db: [region.instances, instanceNotFound],
    snapshot: [region.snapshots, snapshotNotFound],
    pg: [region.parameterGroups, parameterGroupNotFound],
    subgrp: [region.subnetGroups, subnetGroupNotFound],
  } as const;
  const store = stores[type as keyof typeof stores];
  if (store === undefined || !arn?.startsWith(`arn:aws:rds:${region.home.region}:`)) {
    throw invalidValue(`Unexpected ARN: ${arn}`);
  }
  const [resources, notFound] = store;
  const resource = resources.get(name);
  if (resource === undefined) throw notFound(name);
  return resource.tags;
}

function automatedBackupOperations(region: Region, rules: AccessRules): Record<string, Operation> {
  const find = (resource: string | undefined, arn: string | undefined) =>
    [...region.backups.values()].filter(
      (backups) =>
        (resource === undefined || backups.instance.resourceId === resource) &&
        (arn === undefined || backupsArn(region, backups) === arn),
    );
  return {
    DescribeDBInstanceAutomatedBackups: operation<
      sdk.DescribeDBInstanceAutomatedBackupsCommandInput,
      sdk.DescribeDBInstanceAutomatedBackupsCommandOutput
    >(
      ['DbiResourceId', 'DBInstanceIdentifier', 'DBInstanceAutomatedBackupsArn', 'Filters', 'MaxRecords', 'Marker'],
      (input) =>
        rules.automatedBackup(
          'DescribeDBInstanceAutomatedBackups',
          input.DBInstanceAutomatedBackupsArn ?? region.arn('auto-backup', '*'),
        ),
      async (input) => {
        const { DbiResourceId: resource, DBInstanceIdentifier: identifier, DBInstanceAutomatedBackupsArn: arn } = input;
        const chosen = find(resource, arn).filter(
          ({ instance }) => identifier === undefined || instance.identifier === identifier.toLowerCase(),
        );
        if (chosen.length === 0 && (resource ?? arn ?? identifier) !== undefined) {
          throw automatedBackupNotFound(resource ?? arn ?? identifier ?? '');
        }
        const found = filter(chosen, input.Filters, {
          status: ({ status }) => [status],
          'db-instance-id': ({ instance }) => [instance.identifier, region.arn('db', instance.identifier)],
          'dbi-resource-id': ({ instance }) => [instance.resourceId],
          'instance-automated-backups-arn': (backups) => [backupsArn(region, backups)],
        });
        const { items, ...marker } = paginate(found, input);
        if (items.length === 0) return { DBInstanceAutomatedBackups: [] };
        const { version } = await region.engine;
        return {
          DBInstanceAutomatedBackups: items.map((backups) => showAutomatedBackup(region, backups, version)),
          ...marker,
        };
      },
    ),

    DeleteDBInstanceAutomatedBackup: operation<
      sdk.DeleteDBInstanceAutomatedBackupCommandInput,
      sdk.DeleteDBInstanceAutomatedBackupCommandOutput
    >(
      ['DbiResourceId', 'DBInstanceAutomatedBackupsArn'],
      (input) => {
        const [backups] = find(input.DbiResourceId, input.DBInstanceAutomatedBackupsArn);
        const arn = backups === undefined ? region.arn('auto-backup', '*') : backupsArn(region, backups);
        return rules.automatedBackup('DeleteDBInstanceAutomatedBackup', input.DBInstanceAutomatedBackupsArn ?? arn);
      },
      async (input) => {
        const { DbiResourceId: resource, DBInstanceAutomatedBackupsArn: arn } = input;
        const [backups] = find(resource, arn);
        if (backups === undefined || (resource ?? arn) === undefined)
          throw automatedBackupNotFound(resource ?? arn ?? '');
        if (backups.status !== 'retained' && backups.replication === undefined) {
          throw new AwsError(
            'InvalidDBInstanceAutomatedBackupStateFault',
            'Only the automated backups of a deleted instance can be deleted.',
          );
        }
        const { version } = await region.engine;
        await deleteBackups(region, backups);
        return { DBInstanceAutomatedBackup: { ...showAutomatedBackup(region, backups, version), Status: 'deleting' } };
      },
    ),
  };
}
