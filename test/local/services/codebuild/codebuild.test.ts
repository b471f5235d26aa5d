import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { codebuild } from '../../../../local/services/codebuild/index.ts';
import { kms } from '../../../../local/services/kms/index.ts';
import { ssm } from '../../../../local/services/ssm/index.ts';
import { storage } from '../storage-home.ts';

const cloud = storage([kms, ssm, codebuild]);
beforeAll(() => cloud.ready);
afterAll(() => cloud.stop());
const call = (operation: string, input: object) => cloud.call('codebuild', operation, input);

let made = 0;
async function project(buildspec: object | undefined, properties: object = {}, assembly?: string): Promise<string> {
  made += 1;
  const { ref } = await cloud.deploy(
    'codebuild',
    'AWS::CodeBuild::Project',
    {
      Name: `project-${made}`,
      Source: { Type: 'NO_SOURCE', ...(buildspec && { BuildSpec: JSON.stringify({ version: '0.2', ...buildspec }) }) },
      Artifacts: { Type: 'NO_ARTIFACTS' },
      Environment: {
        Type: 'ARM_CONTAINER',
        ComputeType: 'BUILD_GENERAL1_SMALL',
        Image: 'aws/codebuild/amazonlinux-aarch64-standard:3.0',
      },
      ServiceRole: 'arn:aws:iam::111122223333:role/build',
      ...properties,
    },
    assembly,
  );
  return ref;
}
async function ended(id: string) {
  return vi.waitFor(
    async () => {
      const [build] = (await call('BatchGetBuilds', { ids: [id] })).builds;
      expect(build.buildComplete).toBe(true);
      return build;
    },
    { timeout: 20_000, interval: 20 },
  );
}
const run = async (projectName: string, input: object = {}) =>
  ended((await call('StartBuild', { projectName, ...input })).build.id);
const statuses = (build: { phases: { phaseType: string; phaseStatus?: string }[] }) =>
  Object.fromEntries(build.phases.map(({ phaseType, phaseStatus }) => [phaseType, phaseStatus]));

test('runs the phases in one environment, as the role, and reports them', async () => {
  const name = await project({
    env: { variables: { GREETING: 'hello' }, 'exported-variables': ['RESULT'] },
    phases: {
      install: { commands: ['export KEPT="$GREETING world"', 'mkdir sub', 'cd sub'] },
      build: {
        commands: ['echo "$KEPT from $(basename "$PWD") by $AWS_ACCESS_KEY_ID"', 'export RESULT=$(node -p "6*7")'],
      },
    },
  });
  const build = await run(name);
  expect(build).toMatchObject({
    buildStatus: 'SUCCEEDED',
    currentPhase: 'COMPLETED',
    exportedEnvironmentVariables: [{ name: 'RESULT', value: '42' }],
  });
  expect(statuses(build)).toMatchObject({ INSTALL: 'SUCCEEDED', BUILD: 'SUCCEEDED', POST_BUILD: 'SUCCEEDED' });
  expect(cloud.log).toContain('hello world from sub by ASIATEST');
  expect(
    cloud.events.filter(({ detail }) => detail['project-name'] === name).map(({ detail }) => detail['build-status']),
  ).toEqual(['IN_PROGRESS', 'SUCCEEDED']);
});

test('a failing command ends its phase; post_build still runs and knows', async () => {
  const build = await run(
    await project({
      phases: {
        build: { commands: ['false', 'echo never'], finally: ['echo finally'] },
        post_build: { commands: ['echo succeeding=$CODEBUILD_BUILD_SUCCEEDING'] },
      },
    }),
  );
  expect(build.buildStatus).toBe('FAILED');
  expect(statuses(build)).toMatchObject({ BUILD: 'FAILED', POST_BUILD: 'SUCCEEDED' });
  expect(
    build.phases.find(({ phaseType }: { phaseType: string }) => phaseType === 'BUILD').contexts[0].message,
  ).toMatch(/executing command: false. Reason: exit status 1/);
  expect(cloud.log).toEqual(expect.arrayContaining(['finally', 'succeeding=0']));
  expect(cloud.log).not.toContain('never');
});

test('a failed install aborts the build', async () => {
  const build = await run(
    await project({ phases: { install: { commands: ['exit 3'] }, build: { commands: ['echo not built'] } } }),
  );
  expect(statuses(build)).toMatchObject({ INSTALL: 'FAILED' });
  expect(statuses(build)).not.toHaveProperty('BUILD');
  expect(cloud.log).not.toContain('not built');
});

test("the build's variables go before the project's, and parameters are read", async () => {
  await cloud.call('ssm', 'PutParameter', { Name: '/build/p', Value: 'from-ssm', Type: 'String' });
  const EnvironmentVariables = [
    { Name: 'A', Value: 'project' },
    { Name: 'P', Value: '/build/p', Type: 'PARAMETER_STORE' },
  ];
  const Environment = { Type: 'ARM_CONTAINER', ComputeType: 'BUILD_GENERAL1_SMALL', Image: 'x', EnvironmentVariables };
  const name = await project({ phases: { build: { commands: ['echo "A=$A P=$P"'] } } }, { Environment });
  await run(name);
  await run(name, { environmentVariablesOverride: [{ name: 'A', value: 'build' }] });
  expect(cloud.log).toEqual(expect.arrayContaining(['A=project P=from-ssm', 'A=build P=from-ssm']));
});

test('a stopped build ends with its processes', async () => {
  const name = await project({ phases: { build: { commands: ['echo started $$', 'sleep 60'] } } });
  const { build } = await call('StartBuild', { projectName: name });
  await vi.waitFor(() => expect(cloud.log.some((line) => line.startsWith('started'))).toBe(true), { timeout: 10_000 });
  expect((await call('StopBuild', { id: build.id })).build).toMatchObject({
    buildStatus: 'STOPPED',
    buildComplete: true,
  });
  const pid = Number(cloud.log.find((line) => line.startsWith('started'))?.split(' ')[1]);
  expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
});

test('an asset of the assembly is the source', async () => {
  const assembly = mkdtempSync(join(tmpdir(), 'assembly-'));
  const hash = 'a'.repeat(64);
  mkdirSync(join(assembly, `asset.${hash}`));
  writeFileSync(
    join(assembly, `asset.${hash}`, 'buildspec.yml'),
    'version: 0.2\nphases:\n  build:\n    commands:\n      - cat data.txt\n',
  );
  writeFileSync(join(assembly, `asset.${hash}`, 'data.txt'), 'asset data\n');
  const name = await project(undefined, { Source: { Type: 'S3', Location: `cdk-assets/${hash}.zip` } }, assembly);
  expect((await run(name)).buildStatus).toBe('SUCCEEDED');
  expect(cloud.log).toContain('asset data');
  rmSync(assembly, { recursive: true });
});

test('refuses what it does not honour, when the project is made', async () => {
  await expect(project({ batch: {} })).rejects.toThrow(/batch/);
  await expect(project({ phases: { deploy: {} } })).rejects.toThrow(/phase deploy/);
  await expect(project({}, { Artifacts: { Type: 'S3' } })).rejects.toThrow(/Artifacts/);
  await expect(call('StartBuild', { projectName: 'none' })).rejects.toMatchObject({
    code: 'ResourceNotFoundException',
  });
});

test('presents the project for every action on its builds', async () => {
  const project = 'arn:aws:codebuild:us-east-1:111122223333:project/p';
  expect(await cloud.access('codebuild', 'StartBuild', { projectName: 'p' })).toEqual([
    { action: 'codebuild:StartBuild', resources: [project] },
  ]);
  expect(await cloud.access('codebuild', 'BatchGetBuilds', { ids: ['p:1', 'p:2'] })).toEqual([
    { action: 'codebuild:BatchGetBuilds', resources: [project] },
  ]);
});

test.each(['sh', 'bash'])(
  'exports variables as they are, whatever %s would quote, and only exported ones',
  async (shell) => {
    const value = `{"a":"it's \\"so\\" $HOME \\\\n é"}`;
    const name = await project({
      env: { shell, 'exported-variables': ['OUTCOME', 'KEPT', 'MISSING'] },
      phases: {
        build: { commands: [`cat > value <<'EOF'\n${value}\nEOF`, 'export OUTCOME="$(cat value)"', 'KEPT=inside'] },
      },
    });
    expect((await run(name)).exportedEnvironmentVariables).toEqual([{ name: 'OUTCOME', value }]);
  },
);

test('a token starts one build, and refuses to start another', async () => {
  const name = await project({ phases: { build: { commands: ['true'] } } });
  const start = async (input: object = {}) =>
    (await call('StartBuild', { projectName: name, idempotencyToken: 'once', ...input })).build.id;
  const first = await start();
  expect(await start()).toBe(first);
  await expect(start({ timeoutInMinutesOverride: 7 })).rejects.toThrow(/token/);
  expect(await start({ idempotencyToken: 'again' })).not.toBe(first);
  await ended(first);
});

test('a build ends with its Region, and says so when it is back', async () => {
  const name = await project({ phases: { build: { commands: ['sleep 60'] } } });
  const { id } = (await call('StartBuild', { projectName: name })).build;
  const phaseOf = async () => (await call('BatchGetBuilds', { ids: [id] })).builds[0].currentPhase;
  await vi.waitFor(async () => expect(await phaseOf()).toBe('BUILD'), { timeout: 10_000, interval: 20 });
  await cloud.goDark('codebuild');
  await cloud.comeBack('codebuild');
  expect(await ended(id)).toMatchObject({ buildStatus: 'FAULT' });
});
