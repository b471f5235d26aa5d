/**
 * Items in memory, and nothing between: what dynalite checks of every request, the simulation's thousands of runs need not
 * check again. One contract test runs on both. An input that it does not know is refused by name.
 */
import { AwsError } from '../../kernel.ts';
import {
  type Attribute,
  type Condition,
  conditionOf,
  type Item,
  partitionOf,
  type Request,
  updateOf,
} from './compiled.ts';
import type { ItemEngine } from './engine.ts';
import type { TableDefinition } from './tables.ts';

interface Input extends Request {
  readonly TableName: string;
  readonly Key?: Item;
  readonly Item?: Item;
  readonly ConditionExpression?: string;
  readonly UpdateExpression?: string;
  readonly KeyConditionExpression?: string;
  readonly FilterExpression?: string;
  readonly ReturnValues?: string;
  readonly ScanIndexForward?: boolean;
  readonly Limit?: number;
  readonly ExclusiveStartKey?: Item;
}

interface Table {
  readonly definition: TableDefinition;
  readonly hash: string;
  readonly range: string | undefined;
  /** By the partition key's value. */
  readonly partitions: Map<string, Partition>;
}

interface Partition {
  /** By their range key's value. */
  readonly items: Map<string, Item>;
  /** Their range keys in order; undefined until somebody asks, once one was added in between or deleted. */
  order: string[] | undefined;
}

const common = ['TableName', 'ExpressionAttributeNames', 'ExpressionAttributeValues', 'ReturnConsumedCapacity'];
const written = [...common, 'ConditionExpression', 'ReturnValues'];
const paged = ['FilterExpression', 'Limit', 'ExclusiveStartKey', 'ConsistentRead'];
const known: Readonly<Record<string, ReadonlySet<string>>> = {
  GetItem: new Set([...common, 'Key', 'ConsistentRead']),
  PutItem: new Set([...written, 'Item']),
  UpdateItem: new Set([...written, 'Key', 'UpdateExpression']),
  DeleteItem: new Set([...written, 'Key']),
  Query: new Set([...common, ...paged, 'KeyConditionExpression', 'ScanIndexForward']),
  Scan: new Set([...common, ...paged]),
};

export class MemoryEngine implements ItemEngine {
  readonly #tables = new Map<string, Table>();

  async run<O extends object>(operation: string, input: object): Promise<O> {
    return this.#run(operation, input as Input) as O;
  }

  #run(operation: string, input: Input): object {
    if (operation === 'CreateTable') return this.#create(input as unknown as TableDefinition);
    if (operation === 'DescribeTable') return { Table: describe(this.#find(input.TableName)) };
    if (operation === 'DeleteTable') {
      const TableDescription = describe(this.#find(input.TableName));
      this.#tables.delete(input.TableName);
      return { TableDescription };
    }
    refuseUnknown(operation, input);
    const table = this.#find(input.TableName);
    switch (operation) {
      case 'GetItem': {
        const Item = get(table, input.Key ?? {});
        return Item === undefined ? {} : { Item };
      }
      case 'PutItem':
        return write(table, input.Item ?? {}, input, () => input.Item);
      case 'UpdateItem': {
        const update = updateOf(input.UpdateExpression ?? '', input);
        return write(table, input.Key ?? {}, input, (old) =>
          update(old ?? input.Key ?? {}, input.ExpressionAttributeValues ?? {}),
        );
      }
      case 'DeleteItem':
        return write(table, input.Key ?? {}, input, () => undefined);
      default:
        return list(table, input);
    }
  }

  #create(definition: TableDefinition): object {
    const [hash, range] = (['HASH', 'RANGE'] as const).map(
      (type) => definition.KeySchema.find(({ KeyType }) => KeyType === type)?.AttributeName,
    );
    if (this.#tables.has(definition.TableName))
      throw new AwsError('ResourceInUseException', `Table already exists: ${definition.TableName}`);
    this.#tables.set(definition.TableName, { definition, hash: hash ?? '', range, partitions: new Map() });
    return {};
  }

  #find(name: string): Table {
    const table = this.#tables.get(name);
    if (table === undefined) throw new AwsError('ResourceNotFoundException', 'Requested resource not found');
    return table;
  }
}

function refuseUnknown(operation: string, input: object): void {
  const members = known[operation];
  if (members === undefined) throw new AwsError('NotImplemented', `${operation} is not implemented on items in memory`);
  for (const name in input)
    if (!members.has(name) && (input as Record<string, unknown>)[name] !== undefined)
      throw new AwsError('NotImplemented', `${operation} with ${name} is not implemented on items in memory`);
}

const describe = ({ definition }: Table) => ({
  ...definition,
  TableStatus: 'ACTIVE',
  GlobalSecondaryIndexes: definition.GlobalSecondaryIndexes?.map((index) => ({ ...index, IndexStatus: 'ACTIVE' })),
  ...(definition.BillingMode === 'PAY_PER_REQUEST' && { BillingModeSummary: { BillingMode: definition.BillingMode } }),
});

/** Throws where the key lacks an attribute: one of a table's keys is a text or a number. */
function keyPart(key: Item, name: string | undefined): string {
  if (name === undefined) return '';
  const value = key[name]?.S ?? key[name]?.N;
  if (typeof value === 'string' && value !== '') return value;
  throw new AwsError(
    'ValidationException',
    `One or more parameter values were invalid: Missing the key ${name} in the item`,
  );
}

const get = (table: Table, key: Item): Item | undefined =>
  table.partitions.get(keyPart(key, table.hash))?.items.get(keyPart(key, table.range));

function write(table: Table, key: Item, input: Input, change: (old: Item | undefined) => Item | undefined): object {
  const [hash, range] = [keyPart(key, table.hash), keyPart(key, table.range)];
  const partition = table.partitions.get(hash);
  const old = partition?.items.get(range);
  if (!holds(input.ConditionExpression, old ?? {}, input))
    throw new AwsError('ConditionalCheckFailedException', 'The conditional request failed');
  const item = change(old);
  if (item !== undefined) put(table, hash, range, item);
  else if (partition?.items.delete(range)) partition.order = undefined;
  if (input.ReturnValues === 'ALL_OLD') return old === undefined ? {} : { Attributes: old };
  if (input.ReturnValues === 'ALL_NEW') return { Attributes: item };
  if (input.ReturnValues === undefined || input.ReturnValues === 'NONE') return {};
  throw new AwsError('NotImplemented', `ReturnValues ${input.ReturnValues} is not implemented on items in memory`);
}

function put(table: Table, hash: string, range: string, item: Item): void {
  let partition = table.partitions.get(hash);
  if (partition === undefined) {
    partition = { items: new Map(), order: [] };
    table.partitions.set(hash, partition);
  }
  const { items, order } = partition;
  if (order !== undefined && !items.has(range)) {
    // Most keys are moments: the newest is the last.
    const last = items.get(order.at(-1) ?? '');
    if (last === undefined || byRange(table, last, item) < 0) order.push(range);
    else partition.order = undefined;
  }
  items.set(range, item);
}

/** In the order of their range keys. */
function sorted(table: Table, partition: Partition): readonly string[] {
  partition.order ??= [...partition.items]
    .sort(([, one], [, other]) => byRange(table, one, other))
    .map(([range]) => range);
  return partition.order;
}

const holds = (expression: string | undefined, item: Item, request: Request): boolean =>
  testOf(expression, request)(item);

function testOf(expression: string | undefined, request: Request): (item: Item) => boolean {
  if (expression === undefined) return () => true;
  const condition: Condition = conditionOf(expression, request);
  const values = request.ExpressionAttributeValues ?? {};
  return (item) => condition(item, values);
}

/** Query and Scan: in the order of the range key, of the partitions in that of their making. */
function list(table: Table, input: Input): object {
  const { KeyConditionExpression: keyCondition, Limit: limit = Number.POSITIVE_INFINITY } = input;
  const isMatching = testOf(keyCondition, input);
  let passed = startOf(table, input.ExclusiveStartKey);
  const page: Item[] = [];
  for (const item of itemsOf(table, input)) {
    if (page.length === limit) break;
    if (passed === undefined) {
      if (isMatching(item)) page.push(item);
    } else if (item === passed) passed = undefined;
  }
  const Items = input.FilterExpression === undefined ? page : page.filter(testOf(input.FilterExpression, input));
  const last = page.length === limit ? page.at(-1) : undefined;
  return {
    Items,
    Count: Items.length,
    ScannedCount: page.length,
    ...(last && { LastEvaluatedKey: keyOf(table, last) }),
  };
}

function* itemsOf(table: Table, input: Input): Generator<Item> {
  for (const partition of partitionsFor(table, input)) {
    const keys = sorted(table, partition);
    for (const range of (input.ScanIndexForward ?? true) ? keys : keys.toReversed()) {
      const item = partition.items.get(range);
      if (item !== undefined) yield item;
    }
  }
}

/** The item behind which a page begins. */
function startOf(table: Table, key: Item | undefined): Item | undefined {
  if (key === undefined) return undefined;
  const start = get(table, key);
  if (start === undefined)
    throw new AwsError('NotImplemented', 'a page that begins behind an item that is gone is not implemented in memory');
  return start;
}

function partitionsFor(table: Table, input: Input): Iterable<Partition> {
  if (input.KeyConditionExpression === undefined) return table.partitions.values();
  const hash = partitionOf(input.KeyConditionExpression, input, table.hash);
  if (hash === undefined)
    throw new AwsError('ValidationException', `Query condition missed key schema element: ${table.hash}`);
  const partition = table.partitions.get(String(hash.S ?? hash.N));
  return partition === undefined ? [] : [partition];
}

function byRange({ range }: Table, one: Item, other: Item): number {
  const [left, right]: (Attribute | undefined)[] = [one[range ?? ''], other[range ?? '']];
  if (left?.N !== undefined) return Number(left.N) - Number(right?.N);
  const [a, b] = [String(left?.S), String(right?.S)];
  return a < b ? -1 : a > b ? 1 : 0;
}

const keyOf = ({ hash, range }: Table, item: Item): object => ({
  [hash]: item[hash],
  ...(range !== undefined && { [range]: item[range] }),
});
