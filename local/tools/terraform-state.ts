/** Terraform's S3 backend, as the stand-in has it: the state is one object, the lock one item of a DynamoDB table. */
import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  DynamoDBClient,
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

/** One at a time, as Terraform's lock has it. */
export async function withLock<T>(backend: Backend, run: () => Promise<T>): Promise<T> {
  const client = new DynamoDBClient({ region: backend.region });
  const LockID = { S: `${backend.bucket}/${backend.key}` };
  const TableName = backend.dynamodb_table;
  try {
    await client.send(
      new PutItemCommand({ TableName, Item: { LockID }, ConditionExpression: 'attribute_not_exists(LockID)' }),
    );
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException)
      throw new ToolError(`Error acquiring the state lock: ${LockID.S} is held by another operation`);
    throw error;
  }
  try {
    return await run();
  } finally {
    await client.send(new DeleteItemCommand({ TableName, Key: { LockID } }));
  }
}
