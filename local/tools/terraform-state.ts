/** Terraform's S3 backend, as the stand-in has it: the state is one object, the lock one item of a DynamoDB table. */
import { randomUUID } from 'node:crypto';
import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, NoSuchKey, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ToolError } from './arguments.ts';
import type { Desired } from './terraform-resources.ts';

export interface Backend {
  readonly bucket: string;
  readonly key: string;
  readonly region: string;
  readonly dynamodb_table: string;
}

export interface StateFile {
  readonly version: 4;
  readonly serial: number;
  readonly 'STAND-IN': string;
  readonly resources: readonly Desired[];
}

const storage = ({ region }: Backend) => new S3Client({ region, forcePathStyle: true });

/** A state that is not there yet is empty. */
export async function readState(backend: Backend): Promise<StateFile> {
  try {
    const { Body } = await storage(backend).send(new GetObjectCommand({ Bucket: backend.bucket, Key: backend.key }));
    const state = JSON.parse((await Body?.transformToString()) ?? '{}') as Partial<StateFile>;
    return { version: 4, 'STAND-IN': 'No Terraform ran here.', resources: [], serial: 0, ...state };
  } catch (error) {
    if (error instanceof NoSuchKey)
      return { version: 4, serial: 0, 'STAND-IN': 'No Terraform ran here.', resources: [] };
    throw error;
  }
}

export async function writeState(backend: Backend, state: StateFile): Promise<StateFile> {
  const next = { ...state, serial: state.serial + 1 };
  const Body = JSON.stringify(next);
  await storage(backend).send(
    new PutObjectCommand({ Bucket: backend.bucket, Key: backend.key, Body, ContentType: 'application/json' }),
  );
  return next;
}

/** The item of a backend's lock. */
const lockOf = ({ bucket, key, region, dynamodb_table: TableName }: Backend) => ({
  client: new DynamoDBClient({ region }),
  TableName,
  LockID: { S: `${bucket}/${key}` },
});

/** One at a time, as Terraform's lock has it. A process that is killed leaves it. */
export async function withLock<T>(backend: Backend, run: () => Promise<T>): Promise<T> {
  const { client, TableName, LockID } = lockOf(backend);
  const Item = { LockID, Info: { S: JSON.stringify({ ID: randomUUID() }) } };
  try {
    await client.send(new PutItemCommand({ TableName, Item, ConditionExpression: 'attribute_not_exists(LockID)' }));
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    const lines = [`  ID:        ${await holderOf(backend)}`, `  Path:      ${LockID.S}`];
    throw new ToolError(['Error acquiring the state lock', 'Lock Info:', ...lines].join('\n'));
  }
  try {
    return await run();
  } finally {
    await client.send(new DeleteItemCommand({ TableName, Key: { LockID } }));
  }
}

async function holderOf(backend: Backend): Promise<string | undefined> {
  const { client, TableName, LockID } = lockOf(backend);
  const { Item } = await client.send(new GetItemCommand({ TableName, Key: { LockID }, ConsistentRead: true }));
  return Item?.Info?.S && (JSON.parse(Item.Info.S) as { ID: string }).ID;
}

/** Takes away the lock that bears this id, and no other. */
export async function breakLock(backend: Backend, id: string): Promise<void> {
  const held = await holderOf(backend);
  if (held !== id)
    throw new ToolError(`Failed to unlock state: lock ID "${id}" does not match existing lock ("${held}")`);
  const { client, TableName, LockID } = lockOf(backend);
  await client.send(new DeleteItemCommand({ TableName, Key: { LockID } }));
}
