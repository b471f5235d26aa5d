/** Amazon DynamoDB on dynalite's engine, or in memory alone: tables, indexes, single-item conditions. */
import { randomInt } from 'node:crypto';
import type * as Dynamo from '@aws-sdk/client-dynamodb';
import { type Access, AwsError, type Home, type Operation, type ServiceDefinition } from '../../kernel.ts';
import { isTrue, operation, provider } from '../declare.ts';
import { Engine, type ItemEngine } from './engine.ts';
import { itemOperations } from './items.ts';
import { MemoryEngine } from './memory.ts';
import { type TableDefinition, type TableSettings, Tables } from './tables.ts';

type TableProperties = Omit<TableDefinition, 'TableName'> & {
  TableName?: string;
  TableClass?: string;
  SSESpecification?: TableSettings['SSESpecification'];
  DeletionProtectionEnabled?: boolean | string;
  TimeToLiveSpecification?: { AttributeName: string; Enabled: boolean | string };
  PointInTimeRecoverySpecification?: { PointInTimeRecoveryEnabled: boolean | string; RecoveryPeriodInDays?: number };
  Tags?: { Key: string; Value: string }[];
};

export const dynamodb: ServiceDefinition = {
  name: 'dynamodb',
  sdk: '@aws-sdk/client-dynamodb',
  everywhere: true,
  create(home) {
    // Whoever calls from outside is checked as DynamoDB checks; thousands of simulated runs are not.
    const engine: ItemEngine = home.world.isOpen ? new Engine(home) : new MemoryEngine();
    const tables = new Tables(home, engine);
    return {
      operations: {
        ...itemOperations(home, tables, engine),
        ...tableOperations(tables),
        ...settingOperations(home, tables),
      },
      resources: provider<TableProperties>(
        'AWS::DynamoDB::Table',
        [
          'TableName',
          'KeySchema',
          'AttributeDefinitions',
          'BillingMode',
          'ProvisionedThroughput',
          'GlobalSecondaryIndexes',
          'LocalSecondaryIndexes',
          'TableClass',
          'SSESpecification',
          'DeletionProtectionEnabled',
          'TimeToLiveSpecification',
          'PointInTimeRecoverySpecification',
          'Tags',
        ],
        async (properties, context) => {
          const TableName =
            properties.TableName ??
            `${context.stackName}-${context.logicalId}-${randomInt(36 ** 6)
              .toString(36)
              .toUpperCase()}`;
          const table = await tables.create(definitionOf({ ...properties, TableName }), settingsOf(properties));
          return { ref: table.name, attributes: { Arn: table.arn } };
        },
      ),
    };
  },
};

function tableOperations(tables: Tables): Record<string, Operation> {
  const on = (action: string) => (input: { TableName?: string | undefined }) =>
    tableAccess(tables, action, input.TableName);
  return {
    CreateTable: operation<Dynamo.CreateTableCommandInput>(
      [
        'TableName',
        'KeySchema',
        'AttributeDefinitions',
        'BillingMode',
        'ProvisionedThroughput',
        'GlobalSecondaryIndexes',
        'LocalSecondaryIndexes',
        'TableClass',
        'SSESpecification',
        'DeletionProtectionEnabled',
        'Tags',
      ],
      on('CreateTable'),
      async (input) => {
        const settings: TableSettings = {
          TableClass: input.TableClass,
          SSESpecification: input.SSESpecification?.Enabled
            ? (input.SSESpecification as TableSettings['SSESpecification'])
            : undefined,
          DeletionProtectionEnabled: input.DeletionProtectionEnabled,
          tags: new Map((input.Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value])),
        };
        const table = await tables.create(definitionOf(input as TableDefinition), settings);
        return { TableDescription: await tables.describe(table.name) };
      },
    ),
    DeleteTable: operation<Dynamo.DeleteTableCommandInput>(['TableName'], on('DeleteTable'), (input) =>
      tables.delete(input.TableName),
    ),
    DescribeTable: operation<Dynamo.DescribeTableCommandInput>(['TableName'], on('DescribeTable'), async (input) => ({
      Table: await tables.describe(input.TableName),
    })),
    ListTables: operation<Dynamo.ListTablesCommandInput, Dynamo.ListTablesCommandOutput>(
      ['ExclusiveStartTableName', 'Limit'],
      () => ({ action: 'dynamodb:ListTables', resources: ['*'] }),
      ({ ExclusiveStartTableName: after = '', Limit = 100 }) => {
        const names = [...tables.all.keys()].toSorted().filter((name) => name > after);
        const shown = names.slice(0, Limit);
        return { TableNames: shown, LastEvaluatedTableName: names.length > Limit ? shown.at(-1) : undefined };
      },
    ),
  };
}

function settingOperations(home: Home, tables: Tables): Record<string, Operation> {
  const on = (action: string) => (input: { TableName?: string | undefined }) =>
    tableAccess(tables, action, input.TableName);
  const onArn = (action: string) => (input: { ResourceArn?: string | undefined }) =>
    tableAccess(tables, action, input.ResourceArn);
  return {
    DescribeTimeToLive: operation<Dynamo.DescribeTimeToLiveCommandInput, Dynamo.DescribeTimeToLiveCommandOutput>(
      ['TableName'],
      on('DescribeTimeToLive'),
      (input) => {
        const attribute = tables.find(input.TableName).timeToLiveAttribute;
        return {
          TimeToLiveDescription: { TimeToLiveStatus: attribute ? 'ENABLED' : 'DISABLED', AttributeName: attribute },
        };
      },
    ),
    UpdateTimeToLive: operation<Dynamo.UpdateTimeToLiveCommandInput, Dynamo.UpdateTimeToLiveCommandOutput>(
      ['TableName', 'TimeToLiveSpecification'],
      on('UpdateTimeToLive'),
      ({ TableName, TimeToLiveSpecification: specification }) => {
        tables.find(TableName).timeToLiveAttribute = specification?.Enabled ? specification.AttributeName : undefined;
        return { TimeToLiveSpecification: specification };
      },
    ),
    DescribeContinuousBackups: operation<
      Dynamo.DescribeContinuousBackupsCommandInput,
      Dynamo.DescribeContinuousBackupsCommandOutput
    >(['TableName'], on('DescribeContinuousBackups'), (input) => {
      const table = tables.find(input.TableName);
      const { enabled = false, days = 35 } = table.pointInTimeRecovery ?? {};
      return {
        ContinuousBackupsDescription: {
          ContinuousBackupsStatus: 'ENABLED',
          PointInTimeRecoveryDescription: enabled
            ? {
                PointInTimeRecoveryStatus: 'ENABLED',
                RecoveryPeriodInDays: days,
                EarliestRestorableDateTime: table.createdAt,
                // LatestRestorableDateTime is typically five minutes before the current time.
                LatestRestorableDateTime: new Date(Math.max(table.createdAt.getTime(), home.clock.now() - 300_000)),
              }
            : { PointInTimeRecoveryStatus: 'DISABLED' },
        },
      };
    }),
    ListTagsOfResource: operation<Dynamo.ListTagsOfResourceCommandInput, Dynamo.ListTagsOfResourceCommandOutput>(
      ['ResourceArn'],
      onArn('ListTagsOfResource'),
      (input) => ({ Tags: [...tables.find(input.ResourceArn).tags].map(([Key, Value]) => ({ Key, Value })) }),
    ),
    TagResource: operation<Dynamo.TagResourceCommandInput>(['ResourceArn', 'Tags'], onArn('TagResource'), (input) => {
      const { tags } = tables.find(input.ResourceArn);
      for (const { Key = '', Value = '' } of input.Tags ?? []) tags.set(Key, Value);
      return {};
    }),
  };
}

const tableAccess = (tables: Tables, action: string, tableName: string | undefined): Access => ({
  action: `dynamodb:${action}`,
  resources: [tables.arn(Tables.nameOf(tableName))],
});

function definitionOf(source: TableDefinition): TableDefinition {
  const {
    TableName,
    KeySchema,
    AttributeDefinitions,
    BillingMode,
    ProvisionedThroughput,
    GlobalSecondaryIndexes,
    LocalSecondaryIndexes,
  } = source;
  if (BillingMode !== 'PAY_PER_REQUEST' && !ProvisionedThroughput) {
    throw new AwsError(
      'ValidationException',
      'One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED',
    );
  }
  return {
    TableName,
    KeySchema,
    AttributeDefinitions,
    BillingMode,
    ProvisionedThroughput,
    GlobalSecondaryIndexes,
    LocalSecondaryIndexes,
  };
}

function settingsOf(properties: TableProperties): TableSettings {
  const {
    TimeToLiveSpecification: ttl,
    PointInTimeRecoverySpecification: recovery,
    SSESpecification: encryption,
  } = properties;
  return {
    TableClass: properties.TableClass,
    SSESpecification: encryption && isTrue(encryption.SSEEnabled) ? encryption : undefined,
    DeletionProtectionEnabled: isTrue(properties.DeletionProtectionEnabled),
    timeToLiveAttribute: ttl && isTrue(ttl.Enabled) ? ttl.AttributeName : undefined,
    pointInTimeRecovery: recovery && {
      enabled: isTrue(recovery.PointInTimeRecoveryEnabled),
      days: recovery.RecoveryPeriodInDays ?? 35,
    },
    tags: new Map((properties.Tags ?? []).map(({ Key, Value }) => [Key, Value])),
  };
}
