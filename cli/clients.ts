/** SDK clients of the operator: against AWS with the person's own credentials, or against the embedded cloud. */
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { RDSClient } from '@aws-sdk/client-rds';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { STSClient } from '@aws-sdk/client-sts';

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

export function clientsOf(connection: Connection, region: string) {
  // On the worst day a Region does not answer at all: the default waits for minutes.
  const configuration = { ...connection, region, requestHandler: { connectionTimeout: 5000 } };
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
export type Clients = ReturnType<typeof clientsOf>;

/** Invokes a function and returns its answer; throws what the function threw, by name. */
export async function invoke(lambda: LambdaClient, functionName: string, payload: unknown): Promise<unknown> {
  const answer = await lambda.send(new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(payload) }));
  const body: unknown = JSON.parse(Buffer.from(answer.Payload ?? []).toString('utf8') || 'null');
  if (answer.FunctionError === undefined) return body;
  const { errorType = 'Error', errorMessage = '' } = body as { errorType?: string; errorMessage?: string };
  throw Object.assign(new Error(`${functionName} failed: ${errorType}: ${errorMessage}`), { name: errorType });
}
