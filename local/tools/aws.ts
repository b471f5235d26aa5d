/** STAND-IN for the AWS command line: `aws eks update-kubeconfig` and `aws s3 cp` of one object. */
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

await runTool('aws', async (argv) => {
  const [service, command, ...rest] = argv;
  if (service === 'eks' && command === 'update-kubeconfig') return updateKubeconfig(rest);
  if (service === 's3' && command === 'cp') return copy(rest);
  throw refusal('aws', `${service} ${command}`);
});
