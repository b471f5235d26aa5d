/** The stand-ins as a build runs them: processes with arguments, an exit code and output, against a cloud over HTTP. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scaledClock } from '../../../local/clock.ts';
import { type Cloud, startCloud } from '../../../local/cloud.ts';
import type { EksService } from '../../../local/services/eks/service.ts';

const region = 'us-east-1';
const root = mkdtempSync(join(tmpdir(), 'stand-ins-'));
const tools = join(import.meta.dirname, '../../../local/tools');
const terraformDirectory = join(root, 'terraform');
const overlay = join(root, 'overlay');

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud({ assemblies: [], directory: root, clock: scaledClock(10_000) });
  await call('s3', 'CreateBucket', { Bucket: 'states' });
  await call('dynamodb', 'CreateTable', {
    TableName: 'locks',
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [{ AttributeName: 'LockID', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'LockID', KeyType: 'HASH' }],
  });
  write(join(terraformDirectory, 'main.tf'), '# no HCL is parsed');
  write(join(terraformDirectory, 'production.tfvars'), '');
  write(join(terraformDirectory, 'production.desired.json'), JSON.stringify({ resources: [cluster, nodes] }));
  for (const [name, text] of Object.entries(manifests)) write(join(overlay, name), text);
  const backend = [`bucket=states`, 'key=production', `region=${region}`, 'dynamodb_table=locks'];
  await succeeds(terraform('init', ...plain, ...backend.map((each) => `-backend-config=${each}`)));
});
afterAll(async () => {
  await cloud.stop();
  rmSync(root, { recursive: true });
});

const cluster = {
  address: 'aws_eks_cluster.this',
  type: 'aws_eks_cluster',
  values: { name: 'stocker', role_arn: 'arn:aws:iam::123456789012:role/cluster', subnet_ids: ['subnet-a'] },
};
const nodes = {
  address: 'aws_eks_node_group.general',
  type: 'aws_eks_node_group',
  values: {
    ...{ cluster_name: 'stocker', node_group_name: 'general', node_role_arn: 'arn:aws:iam::123456789012:role/node' },
    ...{ subnet_ids: ['subnet-a'], min_size: 1, max_size: 3, desired_size: 1 },
  },
};
const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'api' } };
const labels = { app: 'api' };
const manifests = {
  'kustomization.yaml': 'namespace: stocker\nresources: [namespace.yaml, api.yaml, password.yaml]\n',
  'namespace.yaml': '{ apiVersion: v1, kind: Namespace, metadata: { name: stocker } }',
  'api.yaml': JSON.stringify({
    ...deployment,
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'api', image: 'api:1' }] } },
    },
  }),
  'password.yaml': '{ apiVersion: v1, kind: Secret, metadata: { name: password }, stringData: { value: hunter2 } }',
};

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
const call = (...[service, operation, input]: [Parameters<Cloud['call']>[0], string, object]) =>
  cloud.call(service, operation, input, region);

interface Ended {
  readonly code: number | null;
  readonly output: string;
}
function run(tool: string, cwd: string, argv: readonly string[]): Promise<Ended> {
  const child = spawn(join(tools, tool), argv, {
    cwd,
    env: {
      PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
      HOME: root,
      ...{ AWS_ENDPOINT_URL: cloud.endpoint, AWS_REGION: region },
      ...{ AWS_ACCESS_KEY_ID: 'AKIAOPERATOR', AWS_SECRET_ACCESS_KEY: 'any' },
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk));
  return new Promise((resolve, reject) => child.on('error', reject).on('close', (code) => resolve({ code, output })));
}
const terraform = (...argv: string[]) => run('terraform', terraformDirectory, argv);
const kubectl = (...argv: string[]) => run('kubectl', overlay, argv);
async function succeeds(ending: Promise<Ended>): Promise<void> {
  const { code, output } = await ending;
  expect(code, output).toBe(0);
}

const plain = ['-input=false', '-no-color'];
const variables = '-var-file=production.tfvars';
const plan = () => terraform('plan', ...plain, variables, '-out=recovery.tfplan', '-detailed-exitcode');

describe('terraform', () => {
  it('plans what its state does not hold, and applies it', async () => {
    const first = await plan();
    expect(first).toMatchObject({ code: 2, output: expect.stringMatching(/2 to add, 0 to change, 0 to destroy/) });
    expect(first.output).toMatch(/^STAND-IN for terraform/);
    await succeeds(terraform('apply', ...plain, 'recovery.tfplan'));
    expect(await plan()).toMatchObject({ code: 0, output: expect.stringContaining('No changes') });
  });
  it('says by its exit code that somebody changed something', async () => {
    const scalingConfig = { minSize: 2, maxSize: 3, desiredSize: 2 };
    await call('eks', 'UpdateNodegroupConfig', { clusterName: 'stocker', nodegroupName: 'general', scalingConfig });
    expect(await plan()).toMatchObject({
      code: 2,
      output: expect.stringContaining('aws_eks_node_group.general: update'),
    });
    await succeeds(terraform('apply', ...plain, 'recovery.tfplan'));
    expect((await plan()).code).toBe(0);
  });
  it('ends with 1 where it cannot plan, and with 64 where it is asked what the builds never ask', async () => {
    const missing = await terraform('plan', ...plain, '-var-file=nowhere.tfvars', '-detailed-exitcode');
    expect(missing).toMatchObject({ code: 1, output: expect.stringContaining('does not exist') });
    expect(await terraform('apply', '-auto-approve')).toMatchObject({
      code: 64,
      output: expect.stringContaining('-auto-approve is not among'),
    });
  });
  it('keeps others out while its state is locked, and gives up the lock to who names it', async () => {
    const Key = { LockID: { S: 'states/production' } };
    await call('dynamodb', 'PutItem', {
      TableName: 'locks',
      Item: { ...Key, Info: { S: JSON.stringify({ ID: 'killed' }) } },
    });
    expect(await plan()).toMatchObject({ code: 1, output: expect.stringMatching(/^Lock Info:\n {2}ID: {8}killed$/m) });
    expect(await terraform('force-unlock', '-force', 'another')).toMatchObject({
      code: 1,
      output: expect.stringContaining('does not match existing lock ("killed")'),
    });
    await succeeds(terraform('force-unlock', '-force', 'killed'));
    expect((await plan()).code).toBe(0);
  });
  it('forgets an address, and takes over what is there under it', async () => {
    const take = (id: string, address = nodes.address) => terraform('import', ...plain, variables, address, id);
    expect(await take('stocker:general')).toMatchObject({
      code: 1,
      output: expect.stringContaining('already managed'),
    });
    await succeeds(terraform('state', 'rm', nodes.address));
    expect(await terraform('state', 'rm', nodes.address)).toMatchObject({ code: 1 });
    expect(await plan()).toMatchObject({ code: 2, output: expect.stringContaining('1 to add') });
    expect(await take('stocker:nobody')).toMatchObject({ code: 1, output: expect.stringContaining('non-existent') });
    const elsewhere = await take('stocker:general', 'aws_eks_node_group.other');
    expect(elsewhere).toMatchObject({
      code: 1,
      output: expect.stringContaining('does not exist in the configuration'),
    });
    await succeeds(take('stocker:general'));
    expect((await plan()).code).toBe(0);
  });
});

describe('kubectl', () => {
  const kubernetes = () => (cloud.service('eks', region) as EksService).kubernetes('stocker');
  const scale = (replicas: number) =>
    kubernetes().apply({ ...deployment, metadata: { name: 'api', namespace: 'stocker' }, spec: { replicas } });
  const diff = () => kubectl('diff', '-k', '.');

  it('cannot compare with a namespace that is not there: that is an error, and no difference', async () => {
    await succeeds(run('aws', root, ['eks', 'update-kubeconfig', '--name', 'stocker', '--region', region]));
    const { code, output } = await diff();
    expect(output).toContain('namespaces "stocker" not found');
    expect(code).toBeGreaterThan(1);
  });
  it('finds no difference in what it applied', async () => {
    await succeeds(kubectl('apply', '-k', '.'));
    expect(await diff()).toMatchObject({ code: 0 });
  });
  it('names what somebody changed or deleted, and changes nothing by that', async () => {
    await scale(3);
    const changed = await diff();
    expect(changed).toMatchObject({
      code: 1,
      output: expect.stringMatching(/^diff deployment\/api\n {2}spec.replicas: -3 \+0$/m),
    });
    await succeeds(kubectl('delete', 'deployment', 'api', '--namespace', 'stocker'));
    expect(await kubectl('delete', 'deployment', 'api', '--namespace', 'stocker')).toMatchObject({ code: 1 });
    for (const _ of [1, 2])
      expect(await diff()).toMatchObject({ code: 1, output: expect.stringContaining('(absent)') });
  });
  it('never shows what a Secret holds', async () => {
    const data = { value: Buffer.from('other').toString('base64') };
    await kubernetes().apply({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'password', namespace: 'stocker' },
      data,
    });
    const { code, output } = await diff();
    expect({ code, output }).toMatchObject({ code: 1, output: expect.stringContaining('diff secret/password') });
    for (const value of ['hunter2', 'other']) expect(output).not.toContain(Buffer.from(value).toString('base64'));
  });
});
