/** A build project, and a build of it. */
import type * as CodeBuild from '@aws-sdk/client-codebuild';

export interface Project {
  readonly name: string;
  readonly arn: string;
  readonly description?: string | undefined;
  readonly source: {
    readonly type: string;
    readonly location?: string | undefined;
    readonly buildspec?: string | undefined;
  };
  readonly environment: CodeBuild.ProjectEnvironment;
  readonly serviceRole: string;
  readonly timeoutInMinutes: number;
  readonly queuedTimeoutInMinutes: number;
  readonly concurrentBuildLimit?: number | undefined;
  readonly logsConfig?: CodeBuild.LogsConfig | undefined;
  readonly vpcConfig?: CodeBuild.VpcConfig | undefined;
  readonly encryptionKey?: string | undefined;
  readonly tags: readonly CodeBuild.Tag[];
  readonly createdAt: Date;
  /** Where the assembly is that deployed the project: its assets stand for what a publisher would upload. */
  readonly assemblyDirectory?: string | undefined;
  builds: number;
}

export interface Build {
  readonly id: string;
  readonly arn: string;
  readonly number: number;
  readonly project: Project;
  readonly buildspec: string;
  /** What it was started with. */
  readonly request: CodeBuild.StartBuildCommandInput;
  readonly variables: readonly CodeBuild.EnvironmentVariable[];
  readonly timeoutInMinutes: number;
  readonly initiator: string;
  readonly startedAt: Date;
  readonly logs: { readonly group: string; readonly stream: string };
  readonly abort: AbortController;
  readonly phases: CodeBuild.BuildPhase[];
  readonly exported: Map<string, string>;
  status: 'IN_PROGRESS' | 'SUCCEEDED' | 'FAILED' | 'STOPPED' | 'TIMED_OUT' | 'FAULT';
  phase: string;
  endedAt?: Date;
  done: Promise<void>;
}

export const describeProject = (project: Project): CodeBuild.Project => ({
  name: project.name,
  arn: project.arn,
  description: project.description,
  source: {
    type: project.source.type as CodeBuild.SourceType,
    location: project.source.location,
    buildspec: project.source.buildspec,
  },
  artifacts: { type: 'NO_ARTIFACTS' },
  cache: { type: 'NO_CACHE' },
  environment: project.environment,
  serviceRole: project.serviceRole,
  timeoutInMinutes: project.timeoutInMinutes,
  queuedTimeoutInMinutes: project.queuedTimeoutInMinutes,
  concurrentBuildLimit: project.concurrentBuildLimit,
  logsConfig: project.logsConfig,
  vpcConfig: project.vpcConfig,
  encryptionKey: project.encryptionKey,
  tags: [...project.tags],
  created: project.createdAt,
  lastModified: project.createdAt,
});

export const describeBuild = (build: Build): CodeBuild.Build => ({
  id: build.id,
  arn: build.arn,
  buildNumber: build.number,
  projectName: build.project.name,
  startTime: build.startedAt,
  endTime: build.endedAt,
  currentPhase: build.phase,
  buildStatus: build.status,
  buildComplete: build.endedAt !== undefined,
  phases: build.phases.map((phase) => ({ ...phase })),
  source: {
    type: build.project.source.type as CodeBuild.SourceType,
    location: build.project.source.location,
    buildspec: build.buildspec,
  },
  artifacts: { location: '' },
  cache: { type: 'NO_CACHE' },
  environment: {
    ...build.project.environment,
    environmentVariables: [...build.variables],
  } as CodeBuild.ProjectEnvironment,
  serviceRole: build.project.serviceRole,
  logs: { groupName: build.logs.group, streamName: build.logs.stream, cloudWatchLogs: { status: 'ENABLED' } },
  timeoutInMinutes: build.timeoutInMinutes,
  queuedTimeoutInMinutes: build.project.queuedTimeoutInMinutes,
  initiator: build.initiator,
  encryptionKey: build.project.encryptionKey,
  exportedEnvironmentVariables: [...build.exported].map(([name, value]) => ({ name, value })),
});
