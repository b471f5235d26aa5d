/** What a table is beyond its items: its keys, and the settings that are recorded and shown back. */
import { AwsError, type Home } from '../../kernel.ts';
import type { ItemEngine } from './engine.ts';

export interface KeyElement {
  readonly AttributeName: string;
  readonly KeyType: 'HASH' | 'RANGE';
}
export interface TableSettings {
  TableClass?: string | undefined;
  SSESpecification?: { SSEEnabled?: boolean; Enabled?: boolean; SSEType?: string; KMSMasterKeyId?: string } | undefined;
  DeletionProtectionEnabled?: boolean | undefined;
  /** Recorded. DynamoDB deletes expired items within days, not at the second: here they outlive the cloud. */
  timeToLiveAttribute?: string | undefined;
  pointInTimeRecovery?: { enabled: boolean; days: number } | undefined;
  tags: Map<string, string>;
}
export interface Table extends TableSettings {
  readonly name: string;
  readonly arn: string;
  readonly keys: readonly KeyElement[];
  readonly indexKeys: ReadonlyMap<string, readonly KeyElement[]>;
  readonly createdAt: Date;
}
export interface TableDefinition {
  TableName: string;
  KeySchema: KeyElement[];
  AttributeDefinitions: { AttributeName: string; AttributeType: string }[];
  BillingMode?: string | undefined;
  ProvisionedThroughput?: object | undefined;
  GlobalSecondaryIndexes?: Index[] | undefined;
  LocalSecondaryIndexes?: Index[] | undefined;
}
interface Index {
  IndexName: string;
  KeySchema: KeyElement[];
  Projection: object;
  ProvisionedThroughput?: object | undefined;
}

export class Tables {
  readonly all = new Map<string, Table>();
  readonly #home: Home;
  readonly #engine: ItemEngine;
  constructor(home: Home, engine: ItemEngine) {
    this.#home = home;
    this.#engine = engine;
  }

  arn(name: string): string {
    return `arn:aws:dynamodb:${this.#home.region}:${this.#home.account}:table/${name}`;
  }

  /** A request names a table by its name or its ARN. */
  static nameOf(tableName: string | undefined): string {
    return (tableName ?? '').replace(/^arn:aws:dynamodb:[^:]*:\d*:table\//, '');
  }

  find(tableName: string | undefined): Table {
    const table = this.all.get(Tables.nameOf(tableName));
    if (!table) throw new AwsError('ResourceNotFoundException', 'Requested resource not found');
    return table;
  }

  /** Resolves when the table is ACTIVE. */
  async create(definition: TableDefinition, settings: TableSettings): Promise<Table> {
    await this.#engine.run('CreateTable', definition);
    await this.#settled(definition.TableName);
    const indexes = [...(definition.GlobalSecondaryIndexes ?? []), ...(definition.LocalSecondaryIndexes ?? [])];
    const table: Table = {
      ...settings,
      name: definition.TableName,
      arn: this.arn(definition.TableName),
      keys: definition.KeySchema,
      indexKeys: new Map(indexes.map((index) => [index.IndexName, index.KeySchema])),
      createdAt: new Date(this.#home.clock.now()),
    };
    this.all.set(table.name, table);
    return table;
  }

  async delete(tableName: string | undefined): Promise<object> {
    const table = this.find(tableName);
    if (table.DeletionProtectionEnabled) {
      throw new AwsError(
        'ValidationException',
        'Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.',
      );
    }
    const deleted = await this.#engine.run<{ TableDescription: object }>('DeleteTable', { TableName: table.name });
    this.all.delete(table.name);
    return { TableDescription: this.described(table, deleted.TableDescription) };
  }

  async describe(tableName: string | undefined): Promise<object> {
    const table = this.find(tableName);
    const { Table } = await this.#engine.run<{ Table: object }>('DescribeTable', { TableName: table.name });
    return this.described(table, Table);
  }

  /** The engine's description with the recorded settings; its own times are replaced, for they are not the cloud's clock. */
  described(table: Table, description: object): object {
    const { BillingModeSummary } = description as { BillingModeSummary?: { BillingMode: string } };
    return {
      ...description,
      CreationDateTime: table.createdAt,
      ...(BillingModeSummary && {
        BillingModeSummary: {
          BillingMode: BillingModeSummary.BillingMode,
          LastUpdateToPayPerRequestDateTime: table.createdAt,
        },
      }),
      DeletionProtectionEnabled: table.DeletionProtectionEnabled ?? false,
      ...(table.TableClass && { TableClassSummary: { TableClass: table.TableClass } }),
      ...(table.SSESpecification && {
        SSEDescription: { Status: 'ENABLED', SSEType: 'KMS', KMSMasterKeyArn: table.SSESpecification.KMSMasterKeyId },
      }),
    };
  }

  /** The engine makes a table ACTIVE in a timer of its own; a few turns of the event loop. */
  async #settled(name: string): Promise<void> {
    for (;;) {
      const { Table } = await this.#engine.run<{
        Table: { TableStatus: string; GlobalSecondaryIndexes?: { IndexStatus: string }[] };
      }>('DescribeTable', { TableName: name });
      if (
        [Table.TableStatus, ...(Table.GlobalSecondaryIndexes ?? []).map(({ IndexStatus }) => IndexStatus)].every(
          (each) => each === 'ACTIVE',
        )
      )
        return;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
