/** AWS CodeBuild: projects whose buildspec runs in a shell on this machine. Container images are recorded, not pulled. */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type * as CodeBuild from '@aws-sdk/client-codebuild';
import { AwsError, type Call, type Home, type Operation, type ServiceDefinition } from '../../kernel.ts';
import { operation, page } from '../declare.ts';
import { parseBuildspec } from './buildspec.ts';
import { type Build, describeBuild, describeProject, type Project } from './project.ts';
import { PROJECT_MEMBERS, projectProvider } from './provider.ts';
import { runBuild } from './runner.ts';

export const codebuild: ServiceDefinition = {
  name: 'codebuild',
  sdk: '@aws-sdk/client-codebuild',
  create(home) {
    const projects = new Map<string, Project>();
    const builds = new Map<string, Build>();
    return {
      operations: { ...projectOperations(home, projects), ...buildOperations(home, projects, builds) },
      resources: projectProvider(home, projects),
      goDark() {
        for (const build of builds.values()) build.abort.abort('FAULT');
      },
      async stop() {
        for (const build of builds.values()) build.abort.abort('STOPPED');
        await Promise.all([...builds.values()].map(({ done }) => done));
      },
    };
  },
};

const projectArn = (home: Home, name: string | undefined): string =>
  `arn:aws:codebuild:${home.region}:${home.account}:project/${name ?? ''}`;

function projectOperations(home: Home, projects: Map<string, Project>): Record<string, Operation> {
  return {
    CreateProject: operation<CodeBuild.CreateProjectCommandInput, CodeBuild.CreateProjectCommandOutput>(
      PROJECT_MEMBERS,
      (input) => ({ action: 'codebuild:CreateProject', resources: [projectArn(home, input.name)] }),
      (input) => {
        const name = input.name ?? '';
        if (projects.has(name))
          throw new AwsError('ResourceAlreadyExistsException', `Project already exists: ${projectArn(home, name)}`);
        const { source, environment } = input;
        if (!source || !environment) throw new AwsError('InvalidInputException', 'source and environment are required');
        if (source.buildspec) parseBuildspec(source.buildspec);
        const project: Project = {
          name,
          arn: projectArn(home, name),
          description: input.description,
          source: { type: source.type ?? '', location: source.location, buildspec: source.buildspec },
          environment,
          serviceRole: input.serviceRole ?? '',
          timeoutInMinutes: input.timeoutInMinutes ?? 60,
          queuedTimeoutInMinutes: input.queuedTimeoutInMinutes ?? 480,
          concurrentBuildLimit: input.concurrentBuildLimit,
          logsConfig: input.logsConfig,
          vpcConfig: input.vpcConfig,
          encryptionKey: input.encryptionKey,
          tags: input.tags ?? [],
          createdAt: new Date(home.clock.now()),
          builds: 0,
        };
        projects.set(name, project);
        return { project: describeProject(project) };
      },
    ),
    BatchGetProjects: operation<CodeBuild.BatchGetProjectsCommandInput, CodeBuild.BatchGetProjectsCommandOutput>(
      ['names'],
      (input) => ({
        action: 'codebuild:BatchGetProjects',
        resources: (input.names ?? []).map((name) => projectArn(home, name)),
      }),
      (input) => ({
        projects: (input.names ?? []).flatMap((name) => projects.get(name) ?? []).map(describeProject),
        projectsNotFound: (input.names ?? []).filter((name) => !projects.has(name)),
      }),
    ),
    ListProjects: operation<CodeBuild.ListProjectsCommandInput, CodeBuild.ListProjectsCommandOutput>(
      ['nextToken'],
      () => ({ action: 'codebuild:ListProjects', resources: ['*'] }),
      (input) => {
        const { items, next } = page([...projects.keys()], input.nextToken, 100);
        return { projects: items, nextToken: next };
      },
    ),
  };
}

function buildOperations(
  home: Home,
  projects: Map<string, Project>,
  builds: Map<string, Build>,
): Record<string, Operation> {
  // Build actions are granted on the project.
  const onBuilds = (action: string, ids: readonly (string | undefined)[]) => ({
    action: `codebuild:${action}`,
    resources: [...new Set(ids.map((id = '') => projectArn(home, idOf(id).split(':')[0])))],
  });
  return {
    StartBuild: operation<CodeBuild.StartBuildCommandInput, CodeBuild.StartBuildCommandOutput>(
      [
        'projectName',
        'environmentVariablesOverride',
        'buildspecOverride',
        'timeoutInMinutesOverride',
        'idempotencyToken',
      ],
      (input) => ({
        action: 'codebuild:StartBuild',
        resources: [projectArn(home, input.projectName?.split('/').at(-1))],
      }),
      (input, call) => {
        const project = projects.get(input.projectName?.split('/').at(-1) ?? '');
        if (!project)
          throw new AwsError(
            'ResourceNotFoundException',
            `Project cannot be found: ${projectArn(home, input.projectName)}`,
          );
        const known = repeated(home, builds, project, input);
        if (known) return { build: describeBuild(known) };
        const running = [...builds.values()].filter((build) => build.project === project && !build.endedAt).length;
        if (running >= (project.concurrentBuildLimit ?? Number.POSITIVE_INFINITY)) {
          throw new AwsError(
            'AccountLimitExceededException',
            `Project ${project.name} has ${running} builds running, its limit`,
          );
        }
        const build = createBuild(home, project, input, call);
        builds.set(build.id, build);
        announce(home, build);
        build.done = runBuild(home, build).then(() => announce(home, build));
        return { build: describeBuild(build) };
      },
    ),
    BatchGetBuilds: operation<CodeBuild.BatchGetBuildsCommandInput, CodeBuild.BatchGetBuildsCommandOutput>(
      ['ids'],
      (input) => onBuilds('BatchGetBuilds', input.ids ?? []),
      (input) => ({
        builds: (input.ids ?? []).flatMap((id) => builds.get(idOf(id)) ?? []).map(describeBuild),
        buildsNotFound: (input.ids ?? []).filter((id) => !builds.has(idOf(id))),
      }),
    ),
    StopBuild: operation<CodeBuild.StopBuildCommandInput, CodeBuild.StopBuildCommandOutput>(
      ['id'],
      (input) => onBuilds('StopBuild', [input.id]),
      async (input) => {
        const build = builds.get(idOf(input.id ?? ''));
        if (!build) throw new AwsError('ResourceNotFoundException', `Build cannot be found: ${input.id}`);
        build.abort.abort('STOPPED');
        await build.done;
        return { build: describeBuild(build) };
      },
    ),
    ListBuildsForProject: operation<
      CodeBuild.ListBuildsForProjectCommandInput,
      CodeBuild.ListBuildsForProjectCommandOutput
    >(
      ['projectName', 'sortOrder', 'nextToken'],
      (input) => ({ action: 'codebuild:ListBuildsForProject', resources: [projectArn(home, input.projectName)] }),
      (input) => {
        if (!projects.has(input.projectName ?? ''))
          throw new AwsError('ResourceNotFoundException', `Project cannot be found: ${input.projectName}`);
        const ids = [...builds.values()]
          .filter(({ project }) => project.name === input.projectName)
          .map(({ id }) => id);
        const { items, next } = page(input.sortOrder === 'ASCENDING' ? ids : ids.toReversed(), input.nextToken, 100);
        return { ids: items, nextToken: next };
      },
    ),
  };
}

/** How long CodeBuild remembers a token (StartBuild: idempotencyToken). */
const tokenMs = 5 * 60_000;

/** The build that this token started before. The same token with other parameters is refused. */
function repeated(home: Home, builds: Map<string, Build>, project: Project, input: CodeBuild.StartBuildCommandInput) {
  const { idempotencyToken: token } = input;
  const known = [...builds.values()].find(
    (build) =>
      token !== undefined &&
      build.project === project &&
      build.request.idempotencyToken === token &&
      home.clock.now() - build.startedAt.getTime() < tokenMs,
  );
  if (known && !isDeepStrictEqual(known.request, input))
    throw new AwsError('InvalidInputException', `Idempotency token ${token} was used with other parameters`);
  return known;
}

/** A build is named by its id or its ARN. */
const idOf = (id: string): string => id.replace(/^arn:aws:codebuild:[^:]+:\d+:build\//, '');

function createBuild(home: Home, project: Project, input: CodeBuild.StartBuildCommandInput, call: Call): Build {
  const uuid = randomUUID();
  const id = `${project.name}:${uuid}`;
  const buildspec = input.buildspecOverride ?? project.source.buildspec ?? '';
  if (buildspec) parseBuildspec(buildspec);
  const logs = project.logsConfig?.cloudWatchLogs;
  project.builds += 1;
  return {
    id,
    arn: `arn:aws:codebuild:${home.region}:${home.account}:build/${id}`,
    number: project.builds,
    project,
    buildspec,
    request: input,
    variables: input.environmentVariablesOverride ?? [],
    timeoutInMinutes: input.timeoutInMinutesOverride ?? project.timeoutInMinutes,
    initiator: initiatorOf(call),
    startedAt: new Date(home.clock.now()),
    logs: {
      group: logs?.groupName ?? `/aws/codebuild/${project.name}`,
      stream: [logs?.streamName, uuid].filter(Boolean).join('/'),
    },
    abort: new AbortController(),
    phases: [],
    exported: new Map(),
    status: 'IN_PROGRESS',
    phase: 'SUBMITTED',
    done: Promise.resolve(),
  };
}

function initiatorOf({ principal }: Call): string {
  if (principal.kind === 'role') return `${principal.roleArn.split('/').at(-1)}/${principal.sessionName}`;
  return principal.kind === 'operator' ? (principal.arn.split(':').at(-1) ?? '') : principal.service;
}

function announce(home: Home, build: Build): void {
  home.emit({
    source: 'aws.codebuild',
    'detail-type': 'CodeBuild Build State Change',
    resources: [build.arn],
    detail: {
      'build-status': build.status,
      'project-name': build.project.name,
      'build-id': build.arn,
      'current-phase': build.phase,
      'additional-information': {
        'build-number': build.number,
        'build-complete': build.endedAt !== undefined,
        initiator: build.initiator,
        'timeout-in-minutes': build.timeoutInMinutes,
        logs: { 'group-name': build.logs.group, 'stream-name': build.logs.stream },
      },
      version: '1',
    },
  });
}
