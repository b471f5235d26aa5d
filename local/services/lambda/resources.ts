/** Lambda's CloudFormation resource types besides the function itself. */
import { createHash } from 'node:crypto';
import { parsePolicy } from '../../authorization/policy.ts';
import { LambdaFunction } from '../../functions/function.ts';
import { AwsError, type Home, type PolicyStatement, type ResourceProvider } from '../../kernel.ts';
import { isTrue, notImplemented, provider } from '../declare.ts';
import { parseArn } from '../eventing.ts';
import { functionArn } from './names.ts';
import { eventInvokeDefaults, type Registry } from './registry.ts';
import { urlPrefix } from './urls.ts';

export function lambdaResources(home: Home, registry: Registry): Record<string, ResourceProvider> {
  return {
    ...permission(home, registry),
    ...url(home, registry),
    ...eventInvokeConfig(registry),
    ...version(home, registry),
    ...alias(home, registry),
  };
}

interface PermissionProperties {
  readonly Action: string;
  readonly FunctionName: string;
  readonly Principal: string;
  readonly SourceArn?: string;
  readonly SourceAccount?: string;
  readonly FunctionUrlAuthType?: string;
  readonly InvokedViaFunctionUrl?: boolean | string;
}

const permission = (home: Home, registry: Registry) =>
  provider<PermissionProperties>(
    'AWS::Lambda::Permission',
    [
      'Action',
      'FunctionName',
      'Principal',
      'SourceArn',
      'SourceAccount',
      'FunctionUrlAuthType',
      'InvokedViaFunctionUrl',
    ],
    (properties, { stackName, logicalId }) => {
      const { record, address } = registry.find(properties.FunctionName);
      const sid = `${stackName}-${logicalId}`;
      const qualifier = address.qualifier ?? '';
      const statements = record.permissions.get(qualifier)?.Statement ?? [];
      const Statement = [...statements, statementOf(sid, functionArn(home, address), properties)];
      record.permissions.set(qualifier, parsePolicy({ Version: '2012-10-17', Statement }, 'resource'));
      return { ref: sid, attributes: { Id: sid } };
    },
  );

/** The statement that AddPermission writes: Lambda compares a source's ARN with ArnLike. */
function statementOf(sid: string, resource: string, properties: PermissionProperties): PolicyStatement {
  const {
    Action,
    Principal: principal,
    SourceArn,
    SourceAccount,
    FunctionUrlAuthType,
    InvokedViaFunctionUrl,
  } = properties;
  const condition = {
    ...(SourceArn !== undefined && { ArnLike: { 'AWS:SourceArn': SourceArn } }),
    ...((SourceAccount !== undefined || FunctionUrlAuthType !== undefined) && {
      StringEquals: {
        ...(SourceAccount !== undefined && { 'AWS:SourceAccount': SourceAccount }),
        ...(FunctionUrlAuthType !== undefined && { 'lambda:FunctionUrlAuthType': FunctionUrlAuthType }),
      },
    }),
    ...(isTrue(InvokedViaFunctionUrl) && { Bool: { 'lambda:InvokedViaFunctionUrl': 'true' } }),
  };
  return {
    Sid: sid,
    Effect: 'Allow',
    Principal: principalOf(principal),
    Action,
    Resource: resource,
    ...(Object.keys(condition).length > 0 && { Condition: condition }),
  };
}

function principalOf(principal: string): NonNullable<PolicyStatement['Principal']> {
  if (principal === '*') return '*';
  if (/^\d{12}$/.test(principal)) return { AWS: `arn:aws:iam::${principal}:root` };
  return principal.startsWith('arn:') ? { AWS: principal } : { Service: principal };
}

interface UrlProperties {
  readonly AuthType: string;
  readonly TargetFunctionArn: string;
  readonly Qualifier?: string;
  readonly InvokeMode?: string;
}

const url = (home: Home, registry: Registry) =>
  provider<UrlProperties>(
    'AWS::Lambda::Url',
    ['AuthType', 'TargetFunctionArn', 'Qualifier', 'InvokeMode'],
    ({ AuthType, TargetFunctionArn, Qualifier, InvokeMode = 'BUFFERED' }) => {
      if (AuthType !== 'AWS_IAM')
        throw notImplemented(`a function URL with AuthType ${AuthType}: anybody could call it`);
      if (InvokeMode !== 'BUFFERED') throw notImplemented(`a function URL with InvokeMode ${InvokeMode}`);
      const { record, address } = registry.find(TargetFunctionArn, Qualifier);
      const arn = functionArn(home, address);
      const id = createHash('sha256').update(arn).digest('hex').slice(0, 32);
      const location = `${home.endpoint}${urlPrefix}${id}/`;
      const createdAt = new Date(home.clock.now()).toISOString();
      record.urls.set(address.qualifier ?? '', { id, url: location, address, createdAt });
      return { ref: arn, attributes: { FunctionArn: arn, FunctionUrl: location } };
    },
  );

interface EventInvokeConfigProperties {
  readonly FunctionName: string;
  readonly Qualifier: string;
  readonly MaximumEventAgeInSeconds?: number | string;
  readonly MaximumRetryAttempts?: number | string;
  readonly DestinationConfig?: {
    readonly OnSuccess?: { readonly Destination: string };
    readonly OnFailure?: { readonly Destination: string };
  };
}

const eventInvokeConfig = (registry: Registry) =>
  provider<EventInvokeConfigProperties>(
    'AWS::Lambda::EventInvokeConfig',
    ['FunctionName', 'Qualifier', 'MaximumEventAgeInSeconds', 'MaximumRetryAttempts', 'DestinationConfig'],
    (properties, { stackName, logicalId }) => {
      const { FunctionName, Qualifier, MaximumEventAgeInSeconds, MaximumRetryAttempts, DestinationConfig } = properties;
      const { record } = registry.find(FunctionName, Qualifier);
      const onSuccess = destination(DestinationConfig?.OnSuccess?.Destination);
      const onFailure = destination(DestinationConfig?.OnFailure?.Destination);
      const config = {
        maximumEventAgeSeconds: Number(MaximumEventAgeInSeconds ?? eventInvokeDefaults.maximumEventAgeSeconds),
        maximumRetryAttempts: Number(MaximumRetryAttempts ?? eventInvokeDefaults.maximumRetryAttempts),
        ...(onSuccess && { onSuccess }),
        ...(onFailure && { onFailure }),
      };
      // `$LATEST` is what an unqualified invocation runs.
      for (const qualifier of Qualifier === '$LATEST' ? ['', Qualifier] : [Qualifier]) {
        record.eventInvokeConfigs.set(qualifier, config);
      }
      return { ref: `${stackName}-${logicalId}` };
    },
  );

function destination(arn: string | undefined): string | undefined {
  if (arn !== undefined && !['sqs', 'sns', 'lambda', 'events'].includes(parseArn(arn).service)) {
    throw notImplemented(`the destination ${arn} of asynchronous invocations`);
  }
  return arn;
}

const version = (home: Home, registry: Registry) =>
  provider<{ FunctionName: string; Description?: string; CodeSha256?: string }>(
    'AWS::Lambda::Version',
    ['FunctionName', 'Description', 'CodeSha256'],
    ({ FunctionName, CodeSha256 }) => {
      const { record } = registry.find(FunctionName);
      if (CodeSha256 !== undefined && CodeSha256 !== record.configuration.CodeSha256) {
        throw new AwsError('PreconditionFailedException', `CodeSha256 ${CodeSha256} is not the function's code`);
      }
      const number = String(record.versions.size + 1);
      const { definition, options } = record.latest;
      record.versions.set(number, new LambdaFunction({ ...definition, version: number }, options));
      const arn = functionArn(home, { name: record.name, qualifier: number });
      return { ref: arn, attributes: { Version: number, FunctionArn: arn } };
    },
  );

const alias = (home: Home, registry: Registry) =>
  provider<{ FunctionName: string; FunctionVersion: string; Name: string; Description?: string }>(
    'AWS::Lambda::Alias',
    ['FunctionName', 'FunctionVersion', 'Name', 'Description'],
    ({ FunctionName, FunctionVersion, Name }) => {
      const { record } = registry.find(FunctionName, FunctionVersion);
      record.aliases.set(Name, FunctionVersion);
      const arn = functionArn(home, { name: record.name, qualifier: Name });
      return { ref: arn, attributes: { AliasArn: arn } };
    },
  );
