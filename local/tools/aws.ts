/** STAND-IN for the AWS command line: `aws eks update-kubeconfig`, `aws s3 cp` of one object, a role assumed, and whose calls these are. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { accept, optionOf, refusal, runTool } from './arguments.ts';
import { kubeconfigFile } from './kubeconfig.ts';

async function updateKubeconfig(argv: readonly string[]): Promise<number> {
  const given = accept('aws', argv, { words: 0, options: ['--name', '--region'] });
  const [name, region] = [optionOf(given, 'aws', '--name'), optionOf(given, 'aws', '--region')];
  const { DescribeClusterCommand, EKSClient } = await import('@aws-sdk/client-eks');
  const { cluster } = await new EKSClient({ region }).send(new DescribeClusterCommand({ name }));
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: cluster?.arn,
        cluster: { server: cluster?.endpoint, 'certificate-authority-data': cluster?.certificateAuthority?.data },
      },
    ],
    users: [{ name: cluster?.arn, user: { exec: { command: 'aws', args: ['eks', 'get-token', name, region] } } }],
    contexts: [{ name: cluster?.arn, context: { cluster: cluster?.arn, user: cluster?.arn } }],
    'current-context': cluster?.arn,
  };
  mkdirSync(dirname(kubeconfigFile()), { recursive: true });
  writeFileSync(kubeconfigFile(), JSON.stringify(config));
  process.stdout.write(`Added new context ${cluster?.arn} to ${kubeconfigFile()}\n`);
  return 0;
}

async function copy(argv: readonly string[]): Promise<number> {
  const { words } = accept('aws', argv, { words: 2 });
  const [, Bucket, Key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(words[0] ?? '') ?? [];
  if (Bucket === undefined || Key === undefined) throw refusal('aws', `${words[0]}`);
  const { GetObjectCommand, S3Client } = await import('@aws-sdk/client-s3');
  const { Body } = await new S3Client({ forcePathStyle: true }).send(new GetObjectCommand({ Bucket, Key }));
  writeFileSync(words[1] ?? '', (await Body?.transformToByteArray()) ?? '');
  process.stdout.write(`download: ${words[0]} to ${words[1]}\n`);
  return 0;
}

const queries = {
  'assume-role': 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]',
  'get-caller-identity': 'Account',
};

/** As text, which separates values by tabs. */
async function identity(command: keyof typeof queries, argv: readonly string[]): Promise<number> {
  const naming = ['--role-arn', '--role-session-name', '--duration-seconds'];
  const isAssuming = command === 'assume-role';
  const options = ['--query', '--output', ...(isAssuming ? naming : [])];
  const given = accept('aws', argv, { words: 0, options });
  for (const [option, value] of [
    ['--query', queries[command]],
    ['--output', 'text'],
  ] as const)
    if (optionOf(given, 'aws', option) !== value) throw refusal('aws', `${option} ${optionOf(given, 'aws', option)}`);
  const { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } = await import('@aws-sdk/client-sts');
  const sts = new STSClient();
  if (!isAssuming) {
    const { Account } = await sts.send(new GetCallerIdentityCommand());
    process.stdout.write(`${Account}\n`);
    return 0;
  }
  const [RoleArn = '', RoleSessionName = '', seconds] = naming.map((option) => optionOf(given, 'aws', option));
  const asked = new AssumeRoleCommand({ RoleArn, RoleSessionName, DurationSeconds: Number(seconds) });
  const { AccessKeyId, SecretAccessKey, SessionToken } = (await sts.send(asked)).Credentials ?? {};
  process.stdout.write(`${[AccessKeyId, SecretAccessKey, SessionToken].join('\t')}\n`);
  return 0;
}

await runTool('aws', async (argv) => {
  const [service, command, ...rest] = argv;
  if (service === 'eks' && command === 'update-kubeconfig') return updateKubeconfig(rest);
  if (service === 's3' && command === 'cp') return copy(rest);
  if (service === 'sts' && (command === 'assume-role' || command === 'get-caller-identity'))
    return identity(command, rest);
  throw refusal('aws', `${service} ${command}`);
});
