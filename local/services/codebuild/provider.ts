/** AWS::CodeBuild::Project: CloudFormation's capitalised spelling of the API's members. */
import { randomInt } from 'node:crypto';
import type * as CodeBuild from '@aws-sdk/client-codebuild';
import { AwsError, type Home, type ResourceProvider } from '../../kernel.ts';
import { provider, refuseUnknown } from '../declare.ts';
import { parseBuildspec } from './buildspec.ts';
import type { Project } from './project.ts';

/** What CreateProject honours or shows back. */
export const PROJECT_MEMBERS = [
  'name',
  'description',
  'source',
  'artifacts',
  'cache',
  'environment',
  'serviceRole',
  'timeoutInMinutes',
  'queuedTimeoutInMinutes',
  'concurrentBuildLimit',
  'logsConfig',
  'vpcConfig',
  'encryptionKey',
  'tags',
] as const satisfies (keyof CodeBuild.CreateProjectCommandInput)[];

interface Properties {
  Name?: string;
  Description?: string;
  Source: { Type: string; Location?: string; BuildSpec?: string };
  Artifacts: { Type: string };
  Cache?: { Type: string };
  Environment: Record<string, unknown> & { EnvironmentVariables?: { Name: string; Value: string; Type?: string }[] };
  ServiceRole: string;
  TimeoutInMinutes?: number | string;
  QueuedTimeoutInMinutes?: number | string;
  ConcurrentBuildLimit?: number | string;
  LogsConfig?: { CloudWatchLogs?: { Status: string; GroupName?: string; StreamName?: string } };
  VpcConfig?: { VpcId: string; Subnets: string[]; SecurityGroupIds: string[] };
  EncryptionKey?: string;
  Visibility?: string;
  Tags?: { Key: string; Value: string }[];
}

export function projectProvider(home: Home, projects: Map<string, Project>): Record<string, ResourceProvider> {
  return provider<Properties>(
    'AWS::CodeBuild::Project',
    [
      'Name',
      'Description',
      'Source',
      'Artifacts',
      'Cache',
      'Environment',
      'ServiceRole',
      'TimeoutInMinutes',
      'QueuedTimeoutInMinutes',
      'ConcurrentBuildLimit',
      'LogsConfig',
      'VpcConfig',
      'EncryptionKey',
      'Visibility',
      'Tags',
    ],
    (properties, context) => {
      const { Source, Artifacts, Cache, Environment } = properties;
      refuseUnknown(`Source of ${context.logicalId}`, Source, ['Type', 'Location', 'BuildSpec']);
      if (Artifacts.Type !== 'NO_ARTIFACTS')
        throw new AwsError('NotImplemented', `${context.logicalId}: Artifacts ${Artifacts.Type}`);
      if (Cache && Cache.Type !== 'NO_CACHE')
        throw new AwsError('NotImplemented', `${context.logicalId}: Cache ${Cache.Type}`);
      if (!['NO_SOURCE', 'S3'].includes(Source.Type))
        throw new AwsError('NotImplemented', `${context.logicalId}: Source ${Source.Type}`);
      if (Source.BuildSpec) parseBuildspec(Source.BuildSpec);
      const name = properties.Name ?? `${context.logicalId}-${randomInt(36 ** 6).toString(36)}`;
      const project: Project = {
        name,
        arn: `arn:aws:codebuild:${home.region}:${home.account}:project/${name}`,
        description: properties.Description,
        source: { type: Source.Type, location: Source.Location, buildspec: Source.BuildSpec },
        environment: lowered(Environment) as CodeBuild.ProjectEnvironment,
        // A role is named by its ARN or its name.
        serviceRole: properties.ServiceRole.startsWith('arn:')
          ? properties.ServiceRole
          : `arn:aws:iam::${home.account}:role/${properties.ServiceRole}`,
        timeoutInMinutes: Number(properties.TimeoutInMinutes ?? 60),
        queuedTimeoutInMinutes: Number(properties.QueuedTimeoutInMinutes ?? 480),
        concurrentBuildLimit:
          properties.ConcurrentBuildLimit === undefined ? undefined : Number(properties.ConcurrentBuildLimit),
        logsConfig: lowered(properties.LogsConfig) as CodeBuild.LogsConfig | undefined,
        vpcConfig: lowered(properties.VpcConfig) as CodeBuild.VpcConfig | undefined,
        encryptionKey: properties.EncryptionKey,
        tags: (properties.Tags ?? []).map(({ Key, Value }) => ({ key: Key, value: Value })),
        createdAt: new Date(home.clock.now()),
        assemblyDirectory: context.assemblyDirectory,
        builds: 0,
      };
      projects.set(name, project);
      return { ref: name, attributes: { Arn: project.arn } };
    },
  );
}

/** Members with a small first letter, all the way down. */
function lowered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lowered);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [(name[0] ?? '').toLowerCase() + name.slice(1), lowered(each)]),
  );
}
