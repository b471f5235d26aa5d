/** Lambda's operations: running functions and reading how they are set up. */
import type {
  FunctionConfiguration,
  GetFunctionCommandInput,
  GetFunctionCommandOutput,
  GetFunctionUrlConfigCommandInput,
  GetFunctionUrlConfigCommandOutput,
  GetPolicyCommandInput,
  GetPolicyCommandOutput,
  InvocationRequest,
  InvocationResponse,
  ListFunctionsCommandInput,
  ListFunctionsCommandOutput,
} from '@aws-sdk/client-lambda';
import { type Access, AwsError, type Home, type Operation } from '../../kernel.ts';
import { notImplemented, operation, page } from '../declare.ts';
import { tagConditions } from '../eventing.ts';
import type { Invoker, Target } from './invoker.ts';
import { functionArn, parseFunctionName } from './names.ts';
import type { FunctionRecord, Registry } from './registry.ts';
import { stateOf } from './sleep.ts';

/** An invocation that came by a function URL. No client has this operation: the route of the URLs calls it. */
export interface UrlInvocation {
  readonly FunctionName: string;
  readonly Qualifier?: string;
  /** JSON text. */
  readonly Event: string;
}
export interface UrlAnswer {
  readonly payload: string;
  readonly failed: boolean;
}

/** Lambda's bounds on a request's payload. */
const maximumSynchronousBytes = 6_291_456;
const maximumAsynchronousBytes = 1_048_576;

export function lambdaOperations(home: Home, registry: Registry, invoker: Invoker): Record<string, Operation> {
  const access = (action: string, functionName: string | undefined, qualifier?: string, more = {}): Access => {
    const address = parseFunctionName(home, functionName, qualifier);
    const conditions = { ...tagConditions(registry.functions.get(address.name)?.tags), ...more };
    return { action: `lambda:${action}`, resources: [functionArn(home, address)], conditions };
  };
  const targetOf = (functionName: string | undefined, given?: string): Target => {
    const { record, address, run } = registry.find(functionName, given);
    return { record, run, arn: functionArn(home, address), qualifier: address.qualifier ?? '' };
  };

  return {
    Invoke: operation<InvocationRequest, InvocationResponse>(
      ['FunctionName', 'Qualifier', 'InvocationType', 'LogType', 'Payload', 'ClientContext'],
      ({ FunctionName, Qualifier }) => access('InvokeFunction', FunctionName, Qualifier),
      async ({
        FunctionName,
        Qualifier,
        InvocationType: type = 'RequestResponse',
        LogType,
        Payload,
        ClientContext,
      }) => {
        if (ClientContext !== undefined) throw notImplemented('lambda:Invoke with a ClientContext');
        const target = targetOf(FunctionName, Qualifier);
        const event = eventOf(Payload, type === 'Event' ? maximumAsynchronousBytes : maximumSynchronousBytes);
        if (type === 'DryRun') return { StatusCode: 204 };
        if (type === 'Event') {
          invoker.enqueue(target, event);
          return { StatusCode: 202 };
        }
        const { payload, failed, logTail } = await invoker.invoke(target, event);
        return {
          StatusCode: 200,
          ExecutedVersion: target.run.definition.version,
          Payload: Buffer.from(payload),
          ...(failed && { FunctionError: 'Unhandled' }),
          ...(LogType === 'Tail' && { LogResult: logTail.toString('base64') }),
        };
      },
    ),

    // Function URLs made since October 2025 need both permissions: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
    InvokeFunctionUrl: operation<UrlInvocation, UrlAnswer>(
      ['FunctionName', 'Qualifier', 'Event'],
      ({ FunctionName, Qualifier }) => [
        access('InvokeFunctionUrl', FunctionName, Qualifier, { 'lambda:FunctionUrlAuthType': 'AWS_IAM' }),
        access('InvokeFunction', FunctionName, Qualifier, { 'lambda:InvokedViaFunctionUrl': 'true' }),
      ],
      ({ FunctionName, Qualifier, Event }) => invoker.invoke(targetOf(FunctionName, Qualifier), Event),
    ),

    GetFunction: operation<GetFunctionCommandInput, GetFunctionCommandOutput>(
      ['FunctionName', 'Qualifier'],
      ({ FunctionName, Qualifier }) => access('GetFunction', FunctionName, Qualifier),
      ({ FunctionName, Qualifier }) => {
        const { record, run, arn } = targetOf(FunctionName, Qualifier);
        const reserved = run.definition.reservedConcurrency;
        return {
          Configuration: configurationOf(home, record, run.definition.version, arn),
          Code: { RepositoryType: 'S3' },
          Tags: { ...record.tags },
          ...(reserved !== undefined && { Concurrency: { ReservedConcurrentExecutions: reserved } }),
        };
      },
    ),

    GetFunctionConfiguration: operation<GetFunctionCommandInput, FunctionConfiguration>(
      ['FunctionName', 'Qualifier'],
      ({ FunctionName, Qualifier }) => access('GetFunctionConfiguration', FunctionName, Qualifier),
      ({ FunctionName, Qualifier }) => {
        const { record, run, arn } = targetOf(FunctionName, Qualifier);
        return configurationOf(home, record, run.definition.version, arn);
      },
    ),

    ListFunctions: operation<ListFunctionsCommandInput, ListFunctionsCommandOutput>(
      ['Marker', 'MaxItems'],
      () => ({ action: 'lambda:ListFunctions', resources: ['*'] }),
      ({ Marker, MaxItems = 50 }) => {
        const all = [...registry.functions.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
        const { items, next } = page(all, Marker, Math.min(MaxItems, 50));
        return { Functions: items.map(({ configuration }) => configuration), ...(next && { NextMarker: next }) };
      },
    ),

    GetFunctionUrlConfig: operation<GetFunctionUrlConfigCommandInput, GetFunctionUrlConfigCommandOutput>(
      ['FunctionName', 'Qualifier'],
      ({ FunctionName, Qualifier }) => access('GetFunctionUrlConfig', FunctionName, Qualifier),
      ({ FunctionName, Qualifier }) => {
        const { record, arn, qualifier } = targetOf(FunctionName, Qualifier);
        const found = record.urls.get(qualifier);
        if (found === undefined) throw new AwsError('ResourceNotFoundException', `No function URL of ${arn}`);
        return {
          FunctionUrl: found.url,
          FunctionArn: arn,
          AuthType: 'AWS_IAM',
          InvokeMode: 'BUFFERED',
          CreationTime: found.createdAt,
          LastModifiedTime: found.createdAt,
        };
      },
    ),

    GetPolicy: operation<GetPolicyCommandInput, GetPolicyCommandOutput>(
      ['FunctionName', 'Qualifier'],
      ({ FunctionName, Qualifier }) => access('GetPolicy', FunctionName, Qualifier),
      ({ FunctionName, Qualifier }) => {
        const { address } = registry.find(FunctionName, Qualifier);
        const policy = registry.policy(address);
        if (policy === undefined) {
          throw new AwsError('ResourceNotFoundException', 'The resource you requested does not exist.');
        }
        return { Policy: JSON.stringify({ ...policy, Id: 'default' }) };
      },
    ),
  };
}

/** ListFunctions answers no State. */
function configurationOf(home: Home, record: FunctionRecord, version: string, arn: string): FunctionConfiguration {
  return { ...record.configuration, Version: version, FunctionArn: arn, State: stateOf(record, home.clock) };
}

/** The payload as JSON text; none is `{}`, as in Lambda's console and command line. */
function eventOf(payload: Uint8Array | string | undefined, maximumBytes: number): string {
  const text = payload === undefined || payload.length === 0 ? '{}' : Buffer.from(payload as string).toString();
  if (Buffer.byteLength(text) > maximumBytes) {
    throw new AwsError('RequestTooLargeException', `Request must be smaller than ${maximumBytes} bytes`, {
      Type: 'User',
    });
  }
  try {
    JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : cause;
    throw new AwsError('InvalidRequestContentException', `Could not parse request body into json: ${reason}`);
  }
  return text;
}
