/** AWS::Lambda::Function: a Node.js function from an asset of the assembly, or from inline code. */

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { FunctionConfiguration } from '@aws-sdk/client-lambda';
import { publishedAsset } from '../../assembly/assets.ts';
import type { FunctionDefinition } from '../../functions/definition.ts';
import { type FunctionOptions, LambdaFunction } from '../../functions/function.ts';
import { AwsError, type Home, type PolicyDocument } from '../../kernel.ts';
import { remembered } from '../../remembered.ts';
import { notImplemented, provider } from '../declare.ts';
import { parseArn, physicalName, tagsOf } from '../eventing.ts';
import { functionArn } from './names.ts';
import type { Registry } from './registry.ts';

interface Properties {
  readonly Code: { readonly S3Bucket?: string; readonly S3Key?: string; readonly ZipFile?: string };
  readonly Handler?: string;
  readonly Runtime?: string;
  readonly Role: string;
  readonly FunctionName?: string;
  readonly Description?: string;
  readonly Environment?: { readonly Variables?: Readonly<Record<string, unknown>> };
  readonly Timeout?: number | string;
  readonly MemorySize?: number | string;
  readonly Architectures?: readonly ('arm64' | 'x86_64')[];
  readonly VpcConfig?: { readonly SubnetIds?: string[]; readonly SecurityGroupIds?: string[] };
  readonly TracingConfig?: { readonly Mode: 'Active' | 'PassThrough' };
  readonly LoggingConfig?: LoggingProperties;
  readonly ReservedConcurrentExecutions?: number | string;
  readonly DeadLetterConfig?: { readonly TargetArn?: string };
  readonly EphemeralStorage?: { readonly Size: number };
  readonly PackageType?: string;
  readonly Tags?: unknown;
}
interface LoggingProperties {
  readonly LogFormat?: 'Text' | 'JSON';
  readonly LogGroup?: string;
  readonly ApplicationLogLevel?: FunctionDefinition['applicationLogLevel'];
  readonly SystemLogLevel?: 'DEBUG' | 'INFO' | 'WARN';
}

/** Where it runs (VpcConfig, Architectures, EphemeralStorage) is recorded and answered, and changes nothing on one machine. */
const honoured = [
  ...(['Code', 'Handler', 'Runtime', 'Role', 'FunctionName', 'Description', 'Environment', 'Timeout'] as const),
  ...(['MemorySize', 'Architectures', 'VpcConfig', 'TracingConfig', 'LoggingConfig', 'Tags'] as const),
  ...(['ReservedConcurrentExecutions', 'DeadLetterConfig', 'EphemeralStorage', 'PackageType'] as const),
];

export function functionResource(home: Home, registry: Registry, options: FunctionOptions) {
  /** Trust policies that have admitted Lambda, on no condition that another function might not meet. */
  const trusting = new WeakSet<PolicyDocument>();
  /** Lambda refuses to create a function whose role does not trust it. */
  const requireTrust = async (definition: FunctionDefinition) => {
    const trust = home.service('iam').resourcePolicy?.(definition.roleArn);
    if (trust !== undefined && trusting.has(trust)) return;
    await options.assumeRole(definition);
    if (trust?.Statement.every(({ Condition }) => Condition === undefined)) trusting.add(trust);
  };
  return provider<Properties>('AWS::Lambda::Function', honoured, async (properties, context) => {
    const name = properties.FunctionName ?? physicalName(context);
    if (registry.functions.has(name))
      throw new AwsError('ResourceConflictException', `Function already exist: ${name}`);
    if (properties.Runtime !== 'nodejs24.x' || (properties.PackageType ?? 'Zip') !== 'Zip') {
      throw notImplemented(`a function on ${properties.Runtime ?? properties.PackageType}: only nodejs24.x runs here`);
    }
    const deadLetterArn = properties.DeadLetterConfig?.TargetArn;
    if (deadLetterArn !== undefined && !['sqs', 'sns'].includes(parseArn(deadLetterArn).service)) {
      throw new AwsError('InvalidParameterValueException', `${deadLetterArn} is neither a queue nor a topic`);
    }
    const definition = definitionOf(home, name, properties);
    await requireTrust(definition);
    registry.functions.set(name, {
      name,
      tags: tagsOf(properties.Tags),
      configuration: configurationOf(home, definition, properties),
      latest: new LambdaFunction(definition, options),
      ...(deadLetterArn !== undefined && { deadLetterArn }),
      versions: new Map(),
      aliases: new Map(),
      permissions: new Map(),
      eventInvokeConfigs: new Map(),
      urls: new Map(),
      usedAt: home.clock.now(),
      awakeAt: 0,
    });
    return { ref: name, attributes: { Arn: definition.arn } };
  });
}

function definitionOf(home: Home, name: string, properties: Properties): FunctionDefinition {
  const { LoggingConfig: logging = {}, ReservedConcurrentExecutions: reserved } = properties;
  if (properties.Handler === undefined) throw new AwsError('InvalidParameterValueException', 'Handler is required');
  return {
    name,
    arn: functionArn(home, { name }),
    version: '$LATEST',
    runtime: 'nodejs24.x',
    handler: properties.Handler,
    taskRoot: taskRootOf(home, properties.Code),
    environment: Object.fromEntries(
      Object.entries(properties.Environment?.Variables ?? {}).map(([key, value]) => [key, String(value)]),
    ),
    timeoutSeconds: Number(properties.Timeout ?? 3),
    memoryMb: Number(properties.MemorySize ?? 128),
    roleArn: properties.Role,
    logGroup: logging.LogGroup ?? `/aws/lambda/${name}`,
    logFormat: logging.LogFormat ?? 'Text',
    ...(logging.ApplicationLogLevel && { applicationLogLevel: logging.ApplicationLogLevel }),
    quiet: logging.SystemLogLevel === 'WARN',
    tracing: properties.TracingConfig?.Mode ?? 'PassThrough',
    ...(reserved !== undefined && { reservedConcurrency: Number(reserved) }),
  };
}

function taskRootOf(home: Home, { S3Key: key, ZipFile: source }: Properties['Code']): string {
  if (key !== undefined) return publishedAsset(home.dataDirectory, key);
  if (source === undefined) throw notImplemented('a function whose code is neither an asset nor inline');
  const root = join(home.dataDirectory, 'assets', `inline-${createHash('sha256').update(source).digest('hex')}`);
  if (!existsSync(root)) {
    mkdirSync(root, { recursive: true });
    writeFileSync(join(root, 'index.js'), source);
  }
  return root;
}

/** Most functions have the same code. */
const hashOf = remembered((key: string) => createHash('sha256').update(key).digest('base64'));

function configurationOf(home: Home, definition: FunctionDefinition, properties: Properties): FunctionConfiguration {
  const { VpcConfig: vpc, DeadLetterConfig: deadLetters, LoggingConfig: logging } = properties;
  return {
    FunctionName: definition.name,
    FunctionArn: definition.arn,
    Runtime: 'nodejs24.x',
    Role: definition.roleArn,
    Handler: definition.handler,
    // An asset's key is the hash of its content.
    CodeSha256: hashOf(basename(definition.taskRoot)),
    ...(properties.Description !== undefined && { Description: properties.Description }),
    Timeout: definition.timeoutSeconds,
    MemorySize: definition.memoryMb,
    LastModified: new Date(home.clock.now()).toISOString().replace('Z', '+0000'),
    Version: definition.version,
    VpcConfig: { SubnetIds: vpc?.SubnetIds ?? [], SecurityGroupIds: vpc?.SecurityGroupIds ?? [] },
    ...(deadLetters && { DeadLetterConfig: deadLetters }),
    Environment: { Variables: { ...definition.environment } },
    TracingConfig: { Mode: definition.tracing },
    PackageType: 'Zip',
    Architectures: [...(properties.Architectures ?? ['x86_64'])],
    EphemeralStorage: { Size: Number(properties.EphemeralStorage?.Size ?? 512) },
    LoggingConfig: { ...logging, LogFormat: definition.logFormat, LogGroup: definition.logGroup } as NonNullable<
      FunctionConfiguration['LoggingConfig']
    >,
    LastUpdateStatus: 'Successful',
  };
}
