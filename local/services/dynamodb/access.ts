/** What an item operation presents to IAM: table or index ARN, `dynamodb:LeadingKeys`, `dynamodb:Attributes`, and the table's own key. */
import type { Access, Home } from '../../kernel.ts';
import { keyAccess } from '../kms/index.ts';
import { type Table, Tables } from './tables.ts';

type Attributes = Readonly<Record<string, unknown>>;

/** The members that item operations share. */
export interface ItemInput {
  readonly TableName?: string;
  readonly IndexName?: string;
  readonly Key?: Attributes;
  readonly Item?: Attributes;
  readonly KeyConditionExpression?: string;
  readonly KeyConditions?: Readonly<Record<string, { readonly AttributeValueList?: readonly unknown[] }>>;
  readonly ConditionExpression?: string;
  readonly FilterExpression?: string;
  readonly ProjectionExpression?: string;
  readonly UpdateExpression?: string;
  readonly AttributesToGet?: readonly string[];
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues?: Attributes;
  readonly Select?: string;
  readonly ReturnValues?: string;
}

export function itemAccess(home: Home, tables: Tables, action: string, input: ItemInput): Access[] {
  const name = Tables.nameOf(input.TableName);
  const table = tables.all.get(name);
  const arn = tables.arn(name) + (input.IndexName ? `/index/${input.IndexName}` : '');
  return [new ItemAccess(`dynamodb:${action}`, [arn], table, input), ...tableKeyAccess(home, table)];
}

class ItemAccess implements Access {
  readonly action: string;
  readonly resources: readonly string[];
  readonly #table: Table | undefined;
  readonly #input: ItemInput;

  constructor(action: string, resources: readonly string[], table: Table | undefined, input: ItemInput) {
    this.action = action;
    this.resources = resources;
    this.#table = table;
    this.#input = input;
  }

  /** Few policies ask for them. */
  get conditions() {
    const input = this.#input;
    const leading = this.#table ? leadingKeys(this.#table, input) : [];
    return {
      'dynamodb:Attributes': attributesOf(input),
      ...(leading.length > 0 && { 'dynamodb:LeadingKeys': leading }),
      'dynamodb:Select': input.Select,
      'dynamodb:ReturnValues': input.ReturnValues,
    };
  }
}

/** One access per table of a batch. */
export function batchAccess(
  home: Home,
  tables: Tables,
  action: string,
  requests: Readonly<Record<string, readonly Attributes[]>>,
): Access[] {
  return Object.entries(requests).flatMap(([tableName, keysOrItems]) => {
    const name = Tables.nameOf(tableName);
    const table = tables.all.get(name);
    const hash = table?.keys.find(({ KeyType }) => KeyType === 'HASH')?.AttributeName ?? '';
    const leading = keysOrItems.map((each) => scalarOf(each[hash])).filter((value) => value !== undefined);
    const conditions = {
      'dynamodb:Attributes': [...new Set(keysOrItems.flatMap((each) => Object.keys(each)))],
      ...(leading.length > 0 && { 'dynamodb:LeadingKeys': leading }),
    };
    return [
      { action: `dynamodb:${action}`, resources: [tables.arn(name)], conditions },
      ...tableKeyAccess(home, table),
    ];
  });
}

/** A table under a customer key is read and written by those only who may decrypt with it, through DynamoDB. */
function tableKeyAccess(home: Home, table: Table | undefined): Access[] {
  const keyId = table?.SSESpecification?.KMSMasterKeyId;
  if (!table || !keyId) return [];
  return keyAccess(home, 'dynamodb', ['Decrypt'], keyId, {
    'aws:dynamodb:tableName': table.name,
    'aws:dynamodb:subscriberId': home.account,
  });
}

function leadingKeys(table: Table, input: ItemInput): string[] {
  const keys = input.IndexName ? table.indexKeys.get(input.IndexName) : table.keys;
  const hash = keys?.find(({ KeyType }) => KeyType === 'HASH')?.AttributeName;
  if (!hash) return [];
  const value = scalarOf(
    (input.Key ?? input.Item)?.[hash] ??
      input.KeyConditions?.[hash]?.AttributeValueList?.[0] ??
      conditionValue(hash, input),
  );
  return value === undefined ? [] : [value];
}

/** The value that a KeyConditionExpression compares the partition key with. */
function conditionValue(hash: string, input: ItemInput): unknown {
  for (const [, name = '', value = ''] of (input.KeyConditionExpression ?? '').matchAll(/(#?[\w.-]+)\s*=\s*(:\w+)/g)) {
    if ((input.ExpressionAttributeNames?.[name] ?? name) === hash) return input.ExpressionAttributeValues?.[value];
  }
  return undefined;
}

function scalarOf(value: unknown): string | undefined {
  const { S, N, B } = (value ?? {}) as { S?: string; N?: string; B?: Uint8Array };
  return S ?? N ?? (B && Buffer.from(B).toString('base64'));
}

const KEYWORDS = new Set(['SET', 'REMOVE', 'ADD', 'DELETE', 'AND', 'OR', 'NOT', 'BETWEEN', 'IN']);

/** Of the few expressions that are sent again and again. */
const named = new Map<string, readonly string[]>();
const most = 2000;

function namesIn(expression: string): readonly string[] {
  const known = named.get(expression);
  if (known !== undefined) return known;
  // A path's later elements, values (`:x`) and functions (`size(`) are no top-level attributes.
  const found = [...expression.matchAll(/(?<![\w:.#-])(#?[A-Za-z_]\w*)(?!\w|\s*\()/g)]
    .map(([, name = '']) => name)
    .filter((name) => !KEYWORDS.has(name.toUpperCase()));
  if (named.size < most) named.set(expression, found);
  return found;
}

/** The top-level attributes that a request names, in items, keys and expressions. */
function attributesOf(input: ItemInput): string[] {
  const expressions = [
    input.KeyConditionExpression,
    input.ConditionExpression,
    input.FilterExpression,
    input.ProjectionExpression,
    input.UpdateExpression,
  ];
  const mentioned = expressions
    .flatMap((expression) => (expression === undefined ? [] : namesIn(expression)))
    .map((name) => input.ExpressionAttributeNames?.[name] ?? name);
  return [
    ...new Set([
      ...Object.keys(input.Key ?? {}),
      ...Object.keys(input.Item ?? {}),
      ...(input.AttributesToGet ?? []),
      ...Object.keys(input.KeyConditions ?? {}),
      ...mentioned,
    ]),
  ];
}
