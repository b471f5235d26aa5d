/** SDK clients of the operator: against AWS with the person's own credentials, or against the embedded cloud. */
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { RDSClient } from '@aws-sdk/client-rds';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { STSClient } from '@aws-sdk/client-sts';
import type { Logger } from '@smithy/types';

export interface Connection {
  readonly endpoint?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** A connection with credentials of its own. */
export type OperatorConnection = Required<Connection>;

/** Any key that the embedded cloud did not issue is the account's operator. */
export const operatorOf = (endpoint: string): OperatorConnection => ({
  endpoint,
  credentials: { accessKeyId: 'operator', secretAccessKey: 'operator' },
});

/** Without `info` the SDK does not copy every input and output for a log that nobody keeps. */
const logger = { debug() {}, warn() {}, error() {} } as unknown as Logger;
const made = new WeakMap<Connection, Map<string, Clients>>();

/** The clients of a connection in a Region: made once. */
export function clientsOf(connection: Connection, region: string): Clients {
  const ofConnection = made.get(connection) ?? new Map<string, Clients>();
  made.set(connection, ofConnection);
  const clients = ofConnection.get(region) ?? makeClients(connection, region);
  ofConnection.set(region, clients);
  return clients;
}

function makeClients(connection: Connection, region: string) {
  // On the worst day a Region does not answer at all, or takes a request and says nothing: the default waits for ever.
  const requestHandler = { connectionTimeout: 5000, requestTimeout: 10_000, throwOnRequestTimeout: true };
  const configuration = { ...connection, region, logger, requestHandler };
  return {
    cloudwatch: new CloudWatchClient(configuration),
    dynamodb: new DynamoDBClient(configuration),
    lambda: new LambdaClient(configuration),
    rds: new RDSClient(configuration),
    s3: new S3Client({ ...configuration, forcePathStyle: connection.endpoint !== undefined }),
    sfn: new SFNClient(configuration),
    sts: new STSClient(configuration),
  };
}
export type Clients = ReturnType<typeof makeClients>;

/** The longest that a function of AWS Lambda may run. */
const longestInvocationMs = 15 * 60_000;

/** Invokes a function and returns its answer; throws what the function threw, by name. */
export async function invoke(lambda: LambdaClient, functionName: string, payload: unknown): Promise<unknown> {
  const command = new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(payload) });
  const answer = await lambda.send(command, { requestTimeout: longestInvocationMs });
  const body: unknown = JSON.parse(Buffer.from(answer.Payload ?? []).toString('utf8') || 'null');
  if (answer.FunctionError === undefined) return body;
  const { errorType = 'Error', errorMessage = '' } = body as { errorType?: string; errorMessage?: string };
  throw Object.assign(new Error(`${functionName} failed: ${errorType}: ${errorMessage}`), { name: errorType });
}
