/** Runs one build: phase by phase in a shell, in a fresh directory, as the project's role. */

import { randomUUID } from 'node:crypto';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import type * as CodeBuild from '@aws-sdk/client-codebuild';
import { AwsError, type Home, type Principal } from '../../kernel.ts';
import { endChild, spawnChild } from '../../process/children.ts';
import { type Buildspec, COMMAND_PHASES, type CommandPhase, type Phase, parseBuildspec } from './buildspec.ts';
import { BuildLog } from './log.ts';
import type { Build } from './project.ts';

/** Ends a build that takes too long, was stopped, or lost its host. */
export type Ending = 'STOPPED' | 'TIMED_OUT' | 'FAULT';

export async function runBuild(home: Home, build: Build): Promise<void> {
  const role: Principal = {
    kind: 'role',
    roleArn: build.project.serviceRole,
    sessionName: `AWSCodeBuild-${randomUUID()}`,
  };
  const directory = join(home.dataDirectory, 'codebuild', build.id.replace(':', '-'));
  const log = new BuildLog(home, role, build.logs);
  const finished = new AbortController();
  const timeout = home.clock.limit(build.timeoutInMinutes * 60_000, finished.signal).then(
    () => build.abort.abort('TIMED_OUT' satisfies Ending),
    () => undefined, // the build ended in time
  );
  enter(home, build, 'SUBMITTED');
  enter(home, build, 'QUEUED');
  try {
    enter(home, build, 'PROVISIONING');
    await mkdir(join(directory, 'src'), { recursive: true });
    enter(home, build, 'DOWNLOAD_SOURCE');
    await downloadSource(build, join(directory, 'src'));
    const spec = parseBuildspec(build.buildspec || (await readFile(join(directory, 'src', 'buildspec.yml'), 'utf8')));
    const environment = await environmentOf(home, build, spec, role, directory);
    const succeeded = await runPhases(home, build, spec, environment, directory, log);
    build.status = succeeded ? 'SUCCEEDED' : ((build.abort.signal.reason as Ending | undefined) ?? 'FAILED');
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    await log.write(message);
    leave(home, build, 'FAILED', [error instanceof AwsError ? error.code : 'INTERNAL_SERVICE_ERROR', message]);
    build.status = (build.abort.signal.reason as Ending | undefined) ?? 'FAILED';
  } finally {
    finished.abort();
    await timeout;
    enter(home, build, 'FINALIZING');
    await log.close();
    await rm(directory, { recursive: true, force: true });
    enter(home, build, 'COMPLETED');
    // Nothing is awaited from here on: whoever sees the end has been told of it, too.
    build.endedAt = new Date(home.clock.now());
  }
}

/** The command phases as CodeBuild orders them: a failed install or pre_build ends the build, post_build runs after a failed build. */
async function runPhases(
  home: Home,
  build: Build,
  spec: Buildspec,
  environment: Record<string, string>,
  directory: string,
  log: BuildLog,
): Promise<boolean> {
  let succeeding = true;
  for (const name of COMMAND_PHASES) {
    enter(home, build, name.toUpperCase());
    const phase = spec.phases[name];
    if (!phase) continue;
    const failure = await runPhase(
      home,
      build,
      spec,
      name,
      phase,
      { ...environment, CODEBUILD_BUILD_SUCCEEDING: succeeding ? '1' : '0' },
      directory,
      log,
    );
    if (failure === undefined) continue;
    succeeding = false;
    leave(home, build, 'FAILED', ['COMMAND_EXECUTION_ERROR', failure]);
    if (build.abort.signal.aborted || phase.onFailure === 'ABORT') break;
  }
  for (const name of spec.exportedVariables) {
    const value = await readFile(exportedFile(directory, name), 'utf8').catch(() => undefined);
    if (value !== undefined) build.exported.set(name, value.replace(/\n$/, ''));
  }
  return succeeding;
}

/** Runs a phase's commands in one shell that starts from where the phase before left off. Returns why it failed. */
async function runPhase(
  home: Home,
  build: Build,
  spec: Buildspec,
  name: CommandPhase,
  phase: Phase,
  environment: Record<string, string>,
  directory: string,
  log: BuildLog,
): Promise<string | undefined> {
  await log.write(`Entering phase ${name.toUpperCase()}`);
  const script = join(directory, `${name}.sh`);
  await writeFile(
    script,
    scriptOf(phase, spec.exportedVariables, directory, environment.CODEBUILD_BUILD_SUCCEEDING === '1'),
  );
  const child = spawnChild(home.dataDirectory, spec.shell, [script], {
    cwd: join(directory, 'src'),
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout?.on('data', (chunk: Buffer) => void log.write(chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => void log.write(chunk.toString()));
  const end = () => void endChild(child, 'SIGKILL');
  build.abort.signal.addEventListener('abort', end);
  if (build.abort.signal.aborted) end();
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('close', resolve).once('error', reject),
  );
  build.abort.signal.removeEventListener('abort', end);
  if (code === 0) return undefined;
  const failed = (await readFile(join(directory, 'failed'), 'utf8').catch(() => '')).trim();
  return build.abort.signal.aborted
    ? `Build ${build.abort.signal.reason}`
    : `Error while executing command: ${failed}. Reason: exit status ${code}`;
}

/** Variables and the working directory outlive a phase; the first failing command ends it, and `finally` runs all the same. */
function scriptOf(
  { commands, finally: always }: Phase,
  exported: readonly string[],
  directory: string,
  succeeding: boolean,
): string {
  const saved = join(directory, 'environment');
  const place = join(directory, 'place');
  const run = (command: string) =>
    `{ ${command}\n} || { status=$?; printf '%s' ${quote(command)} > ${quote(join(directory, 'failed'))}; exit $status; }`;
  const keep = exported.map((name) => {
    const file = quote(exportedFile(directory, name));
    return `printenv ${name} > ${file} || rm -f ${file}`;
  });
  const finish = [...always, ...keep, `export -p > ${quote(saved)}`, `pwd > ${quote(place)}`].join('\n');
  return [
    `finish() { status=$?\n${finish}\nexit $status; }`,
    `[ -f ${quote(saved)} ] && . ${quote(saved)}`,
    // What a phase saved holds this too, as it was then.
    `export CODEBUILD_BUILD_SUCCEEDING=${succeeding ? 1 : 0}`,
    `[ -f ${quote(place)} ] && cd "$(cat ${quote(place)})"`,
    'trap finish EXIT',
    ...commands.map(run),
  ].join('\n');
}

const exportedFile = (directory: string, name: string): string => join(directory, `exported.${name}`);

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** A source in S3 is an asset of the assembly that deployed the project; there is no other. */
async function downloadSource({ project }: Build, to: string): Promise<void> {
  if (project.source.type === 'NO_SOURCE') return;
  const asset = /\/([0-9a-f]{64})\.zip$/.exec(project.source.location ?? '')?.[1];
  if (!asset || !project.assemblyDirectory)
    throw new AwsError(
      'NotImplemented',
      `source ${project.source.type} ${project.source.location}: only assets of the assembly`,
    );
  await cp(join(project.assemblyDirectory, `asset.${asset}`), to, { recursive: true });
}

async function environmentOf(
  home: Home,
  build: Build,
  spec: Buildspec,
  role: Principal,
  directory: string,
): Promise<Record<string, string>> {
  const credentials = home.issueCredentials(role);
  const authority = join(directory, 'ca.pem');
  await writeFile(authority, home.certificateAuthority);
  const read = async (type: string | undefined, value: string): Promise<string> =>
    type === 'PARAMETER_STORE'
      ? parameter(home, role, value)
      : type === 'SECRETS_MANAGER'
        ? secret(home, role, value)
        : value;
  const fromSpec = [
    ...Object.entries(spec.variables).map(([name, value]) => ({ name, value, type: 'PLAINTEXT' })),
    ...Object.entries(spec.parameterStore).map(([name, value]) => ({ name, value, type: 'PARAMETER_STORE' })),
    ...Object.entries(spec.secretsManager).map(([name, value]) => ({ name, value, type: 'SECRETS_MANAGER' })),
  ];
  const variables: Record<string, string> = {
    PATH: [...(home.tools === undefined ? [] : [home.tools]), dirname(process.execPath), process.env.PATH ?? ''].join(
      delimiter,
    ),
    HOME: directory,
    LANG: 'C.UTF-8',
    AWS_REGION: home.region,
    AWS_DEFAULT_REGION: home.region,
    AWS_ENDPOINT_URL: home.endpoint,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
    NODE_EXTRA_CA_CERTS: authority,
    CODEBUILD_BUILD_ID: build.id,
    CODEBUILD_BUILD_ARN: build.arn,
    CODEBUILD_BUILD_NUMBER: String(build.number),
    CODEBUILD_INITIATOR: build.initiator,
    CODEBUILD_SRC_DIR: join(directory, 'src'),
  };
  // The build's variables go before the project's, and those before the buildspec's.
  for (const { name = '', value = '', type } of [
    ...fromSpec,
    ...(build.project.environment.environmentVariables ?? []),
    ...build.variables,
  ]) {
    variables[name] = await read(type, value);
  }
  return variables;
}

async function parameter(home: Home, role: Principal, Name: string): Promise<string> {
  const { Parameter } = await home.call<{ Parameter: { Value: string } }>(
    'ssm',
    'GetParameter',
    { Name, WithDecryption: true },
    role,
  );
  return Parameter.Value;
}

/** `secret-id:json-key:version-stage:version-id`; the id may be an ARN, which has seven parts of its own. */
async function secret(home: Home, role: Principal, reference: string): Promise<string> {
  const parts = reference.split(':');
  const SecretId = parts.splice(0, reference.startsWith('arn:') ? 7 : 1).join(':');
  const [key, stage, version] = parts;
  const input = { SecretId, ...(stage && { VersionStage: stage }), ...(version && { VersionId: version }) };
  const { SecretString = '' } = await home.call<{ SecretString?: string }>(
    'secrets-manager',
    'GetSecretValue',
    input,
    role,
  );
  if (!key) return SecretString;
  return String((JSON.parse(SecretString) as Record<string, unknown>)[key] ?? '');
}

/** Ends the phase before, and begins this one. */
function enter(home: Home, build: Build, phaseType: string): void {
  leave(home, build, 'SUCCEEDED');
  build.phase = phaseType;
  const startTime = new Date(home.clock.now());
  build.phases.push({ phaseType: phaseType as CodeBuild.BuildPhaseType, startTime });
}

function leave(
  home: Home,
  build: Build,
  phaseStatus: 'SUCCEEDED' | 'FAILED',
  context?: [statusCode: string, message: string],
): void {
  const phase = build.phases.at(-1);
  if (!phase || phase.endTime) return;
  phase.endTime = new Date(home.clock.now());
  phase.durationInSeconds = Math.round((phase.endTime.getTime() - (phase.startTime?.getTime() ?? 0)) / 1000);
  const stopped = build.abort.signal.reason as Ending | undefined;
  phase.phaseStatus = phaseStatus === 'FAILED' && stopped ? stopped : phaseStatus;
  if (context) phase.contexts = [{ statusCode: context[0], message: context[1] }];
}
