import { createServer } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ecr } from '../../../../local/services/ecr/index.ts';
import { eks } from '../../../../local/services/eks/index.ts';
import type { KubernetesObject } from '../../../../local/services/eks/kubernetes/objects.ts';
import type { EksService } from '../../../../local/services/eks/service.ts';
import { ACCOUNT, operator } from '../fake-home.ts';
import { storage } from '../storage-home.ts';

/** Stands for the wire's STS: it knows callers by their access key, and refuses a token of another cluster. */
const sts = createServer((incoming, response) => {
  const key = new URL(incoming.url ?? '', 'http://x').searchParams.get('X-Amz-Credential')?.split('/')[0] ?? '';
  const arn = {
    OPERATOR: operator.kind === 'operator' ? operator.arn : '',
    VIEWER: assumed('viewer'),
    RESTARTER: assumed('restarter'),
    STRANGER: assumed('stranger'),
  }[key];
  const allowed = arn !== undefined && incoming.headers['x-k8s-aws-id'] === 'stocker';
  response.writeHead(allowed ? 200 : 403).end(`<Arn>${arn}</Arn>`);
});
const assumed = (role: string) => `arn:aws:sts::${ACCOUNT}:assumed-role/${role}/session`;
const roleArn = (role: string) => `arn:aws:iam::${ACCOUNT}:role/path/${role}`;

const server = `
  const { createServer } = require('node:http');
  const ready = Date.now() + Number(process.env.READY_AFTER ?? 0);
  createServer((request, response) => {
    if (request.url === '/crash') process.exit(1);
    response.writeHead(request.url === '/ready' && Date.now() < ready ? 503 : 200).end(process.env.HOSTNAME_OF_POD + ' ' + process.env.GREETING);
  }).listen(process.env.PORT, '127.0.0.1');`;

let cloud: ReturnType<typeof storage>;
// biome-ignore lint/suspicious/noExplicitAny: tests look into Kubernetes objects of every kind
type Answer = { status: number; body: any };

beforeAll(async () => {
  await new Promise<void>((resolve) => sts.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(sts.address() as AddressInfo).port}`;
  cloud = storage([eks, ecr], {
    endpoint,
    images: { 'api:1': { command: [process.execPath, '-e', server], env: { GREETING: 'from the image' } } },
  });
  await cloud.ready;
  await call('CreateCluster', {
    name: 'stocker',
    roleArn: roleArn('cluster'),
    resourcesVpcConfig: { subnetIds: ['subnet-a'] },
    accessConfig: { authenticationMode: 'API' },
  });
  await call('CreateNodegroup', {
    clusterName: 'stocker',
    nodegroupName: 'workers',
    scalingConfig: { minSize: 1, maxSize: 3, desiredSize: 2 },
    subnets: ['subnet-a'],
    nodeRole: roleArn('node'),
  });
  await kubernetes('POST', '/api/v1/namespaces', { metadata: { name: 'app' } });
});
afterAll(async () => {
  await cloud.stop();
  sts.close();
});

const call = (operation: string, input: object) => cloud.call('eks', operation, input);

function token(key: string, action = 'GetCallerIdentity'): string {
  const url = `https://sts.us-east-1.amazonaws.com/?Action=${action}&X-Amz-Credential=${key}%2F20260101&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id`;
  return `k8s-aws-v1.${Buffer.from(url).toString('base64url')}`;
}

async function kubernetes(
  method: string,
  path: string,
  body?: object,
  bearer = token('OPERATOR'),
  type = 'application/json',
): Promise<Answer> {
  const { cluster } = await call('DescribeCluster', { name: 'stocker' });
  const ca = Buffer.from(cluster.certificateAuthority.data, 'base64').toString();
  return new Promise((resolve, reject) => {
    request(
      cluster.endpoint + path,
      { method, ca, headers: { authorization: `Bearer ${bearer}`, 'content-type': type } },
      (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: text.startsWith('{') ? JSON.parse(text) : text }),
        );
      },
    )
      .on('error', reject)
      .end(body && JSON.stringify(body));
  });
}

const deploymentsPath = '/apis/apps/v1/namespaces/app/deployments';
const deployment = (name: string, options: { replicas?: number; image?: string; readyAfter?: number } = {}) => ({
  metadata: { name },
  spec: {
    replicas: options.replicas ?? 1,
    selector: { matchLabels: { app: name } },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        containers: [
          {
            name: 'api',
            image: options.image ?? 'api:1',
            env: [
              { name: 'HOSTNAME_OF_POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
              { name: 'READY_AFTER', value: String(options.readyAfter ?? 0) },
            ],
            readinessProbe: { httpGet: { path: '/ready', port: 8080 }, periodSeconds: 1 },
          },
        ],
      },
    },
  },
});
const pods = async (app: string): Promise<KubernetesObject[]> =>
  (await kubernetes('GET', `/api/v1/namespaces/app/pods?labelSelector=app%3D${app}`)).body.items;
const eventually = <T>(check: () => Promise<T>) => vi.waitFor(check, { timeout: 15_000, interval: 30 });
const available = (name: string, replicas: number) =>
  eventually(async () => {
    const { body } = await kubernetes('GET', `${deploymentsPath}/${name}`);
    expect(body.status).toMatchObject({
      observedGeneration: body.metadata.generation,
      readyReplicas: replicas,
      updatedReplicas: replicas,
      replicas,
    });
    return body;
  });

test("a deployment's pods become processes that answer behind one address", async () => {
  await kubernetes('POST', deploymentsPath, deployment('web', { replicas: 2 }));
  const { status } = await available('web', 2);
  expect(status.conditions).toMatchObject([
    { type: 'Available', status: 'True' },
    { type: 'Progressing', reason: 'NewReplicaSetAvailable' },
  ]);
  await kubernetes('POST', '/api/v1/namespaces/app/services', {
    metadata: { name: 'web' },
    spec: { type: 'LoadBalancer', selector: { app: 'web' }, ports: [{ port: 80 }] },
  });
  const url = await (cloud.service('eks') as EksService).kubernetes('stocker').address('app', 'web');
  const { body } = await kubernetes('GET', '/api/v1/namespaces/app/services/web');
  expect(url).toBe(`http://127.0.0.1:${body.status.loadBalancer.ingress[0].ports[0].port}`);
  const answers = await Promise.all(
    [1, 2, 3, 4].map(async () => (await fetch(url, { headers: { connection: 'close' } })).text()),
  );
  expect(new Set(answers).size).toBe(2);
  expect(answers[0]).toMatch(/^web-\w+-\w+ from the image$/);

  // As exported from another cluster, whose address means nothing here.
  const setup = (cloud.service('eks') as EksService).kubernetes('stocker');
  await setup.apply({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'app', name: 'web', annotations: { 'embedded-cloud/address': '127.0.0.1:1' } },
    spec: body.spec,
  });
  await eventually(async () => expect(await setup.address('app', 'web')).toBe(url));
});

test('a rollout restart replaces every pod, and the address answers all the while', async () => {
  await kubernetes('POST', deploymentsPath, deployment('rolling', { readyAfter: 200 }));
  await kubernetes('POST', '/api/v1/namespaces/app/services', {
    metadata: { name: 'rolling' },
    spec: { selector: { app: 'rolling' }, ports: [{ port: 80 }] },
  });
  const url = await (cloud.service('eks') as EksService).kubernetes('stocker').address('app', 'rolling');
  const [before] = await pods('rolling');
  const annotations = { 'kubectl.kubernetes.io/restartedAt': '2026-01-01T00:00:00Z' };
  await kubernetes(
    'PATCH',
    `${deploymentsPath}/rolling`,
    { spec: { template: { metadata: { annotations } } } },
    token('OPERATOR'),
    'application/strategic-merge-patch+json',
  );
  await eventually(async () => {
    expect((await fetch(url, { headers: { connection: 'close' } })).status).toBe(200);
    const now = await pods('rolling');
    expect(now).toHaveLength(1);
    expect(now[0]?.metadata.name).not.toBe(before?.metadata.name);
  });
  expect((await available('rolling', 1)).metadata.generation).toBe(2);
});

test('an image that is not configured is never pulled, and the deployment is not available', async () => {
  await kubernetes('POST', deploymentsPath, deployment('unknown', { image: 'nothing:1' }));
  await eventually(async () => {
    const [pod] = await pods('unknown');
    expect(pod?.status).toMatchObject({
      phase: 'Pending',
      containerStatuses: [{ state: { waiting: { reason: 'ImagePullBackOff' } } }],
    });
  });
  expect((await kubernetes('GET', `${deploymentsPath}/unknown`)).body.status.conditions[0]).toMatchObject({
    type: 'Available',
    status: 'False',
  });
});

test('scales to nothing, and nodes follow their group', async () => {
  await kubernetes('POST', deploymentsPath, deployment('scaled'));
  await available('scaled', 1);
  await kubernetes(
    'PATCH',
    `${deploymentsPath}/scaled/scale`,
    { spec: { replicas: 0 } },
    token('OPERATOR'),
    'application/merge-patch+json',
  );
  await eventually(async () => expect(await pods('scaled')).toEqual([]));
  const nodes = async () => (await kubernetes('GET', '/api/v1/nodes')).body.items.length;
  expect(await nodes()).toBe(2);
  const update = { clusterName: 'stocker', nodegroupName: 'workers', scalingConfig: { desiredSize: 3 } };
  await call('UpdateNodegroupConfig', update);
  expect(await nodes()).toBe(3);
  await expect(call('UpdateNodegroupConfig', { ...update, scalingConfig: { desiredSize: 9 } })).rejects.toMatchObject({
    code: 'InvalidParameterException',
  });
});

test.for([
  ['no token', 'nonsense', 401],
  ['a token that signs another action', token('OPERATOR', 'GetSessionToken'), 401],
  ['a key that STS does not know', token('NOBODY'), 401],
  ['a role without an access entry', token('STRANGER'), 401],
] as const)('refuses %s', async ([, bearer, status]) => {
  expect(await kubernetes('GET', '/api/v1/nodes', undefined, bearer)).toMatchObject({
    status,
    body: { kind: 'Status', code: status, reason: 'Unauthorized' },
  });
});

test('an access policy lets view and no more, in its namespaces only', async () => {
  await cloud.deploy('eks', 'AWS::EKS::AccessEntry', {
    ClusterName: 'stocker',
    PrincipalArn: roleArn('viewer'),
    AccessPolicies: [
      {
        PolicyArn: 'arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy',
        AccessScope: { Type: 'namespace', Namespaces: ['app'] },
      },
    ],
  });
  const view = (path: string, method = 'GET') => kubernetes(method, path, undefined, token('VIEWER'));
  expect((await view(deploymentsPath)).status).toBe(200);
  expect((await view('/apis/apps/v1/namespaces/default/deployments')).status).toBe(403);
  expect((await view('/api/v1/namespaces/app/secrets')).status).toBe(403);
  const denied = await view(`${deploymentsPath}/web`, 'DELETE');
  expect(denied.body).toMatchObject({
    reason: 'Forbidden',
    message: expect.stringContaining('cannot delete resource "deployments" in API group "apps" in the namespace "app"'),
  });
});

test('a dry run is answered as it would be, and not kept; it needs the same right', async () => {
  const path = `${deploymentsPath}/dry`;
  const apply = (query: string, bearer?: string) =>
    kubernetes('PATCH', `${path}?fieldManager=test${query}`, deployment('dry'), bearer, 'application/apply-patch+yaml');
  expect(await apply('&dryRun=All', token('VIEWER'))).toMatchObject({ status: 403 });
  expect(await apply('&dryRun=Some')).toMatchObject({ status: 400 });
  expect(await apply('&dryRun=All')).toMatchObject({ status: 200, body: { metadata: { name: 'dry' } } });
  expect((await kubernetes('GET', path)).status).toBe(404);
  expect(await kubernetes('DELETE', '/api/v1/namespaces/app?dryRun=All')).toMatchObject({ status: 200 });
  expect((await kubernetes('GET', '/api/v1/namespaces/app')).status).toBe(200);
});

test('a role bound to the group of an access entry lets patch deployments, and nothing else', async () => {
  await call('CreateAccessEntry', {
    clusterName: 'stocker',
    principalArn: roleArn('restarter'),
    kubernetesGroups: ['stocker-dr'],
  });
  const setup = (cloud.service('eks') as EksService).kubernetes('stocker');
  const namespace = 'app';
  const restart = () =>
    kubernetes(
      'PATCH',
      `${deploymentsPath}/web`,
      { metadata: { labels: { touched: 'yes' } } },
      token('RESTARTER'),
      'application/merge-patch+json',
    );
  expect((await restart()).status).toBe(403);
  await setup.apply({
    kind: 'Role',
    metadata: { name: 'restart', namespace },
    rules: [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'patch'] }],
  });
  await setup.apply({
    kind: 'RoleBinding',
    metadata: { name: 'restart', namespace },
    roleRef: { kind: 'Role', name: 'restart' },
    subjects: [{ kind: 'Group', name: 'stocker-dr' }],
  });
  expect((await restart()).status).toBe(200);
  expect((await kubernetes('GET', '/api/v1/namespaces/app/pods', undefined, token('RESTARTER'))).status).toBe(403);
});

test('server-side apply creates, changes, and takes away what it no longer applies', async () => {
  const path = '/api/v1/namespaces/app/configmaps/settings';
  const apply = (data: object) =>
    kubernetes(
      'PATCH',
      `${path}?fieldManager=test`,
      { apiVersion: 'v1', kind: 'ConfigMap', data },
      undefined,
      'application/apply-patch+yaml',
    );
  await apply({ a: '1', b: '2' });
  await kubernetes('PATCH', path, { data: { other: 'kept' } }, undefined, 'application/merge-patch+json');
  expect((await apply({ a: '3' })).body.data).toEqual({ a: '3', other: 'kept' });
});

test.for([
  ['GET', '/api/v1/namespaces/app/pods/none', undefined, 404, 'NotFound'],
  ['GET', '/apis/batch/v1/cronjobs', undefined, 404, 'NotFound'],
  ['GET', '/api/v1/nodes?watch=true', undefined, 405, 'MethodNotAllowed'],
  ['POST', '/api/v1/namespaces', { metadata: { name: 'app' } }, 409, 'AlreadyExists'],
  ['PUT', '/api/v1/namespaces/app', { metadata: { name: 'app', resourceVersion: '0' } }, 409, 'Conflict'],
  [
    'POST',
    deploymentsPath,
    { metadata: { name: 'x' }, spec: { selector: { matchLabels: { a: 'b' } }, template: {} } },
    422,
    'Invalid',
  ],
] as const)('%s %s answers as Kubernetes does', async ([method, path, body, status, reason]) => {
  expect(await kubernetes(method, path, body)).toMatchObject({
    status,
    body: { kind: 'Status', status: 'Failure', reason },
  });
});

test('tells its version, its groups, and the unknown cluster', async () => {
  expect((await kubernetes('GET', '/version')).body).toMatchObject({ major: '1' });
  expect((await kubernetes('GET', '/apis')).body.groups).toContainEqual(expect.objectContaining({ name: 'apps' }));
  await expect(call('DescribeCluster', { name: 'none' })).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
});

test('a pod pulls from ECR by tag or by digest and tells the digest; what the registry does not hold is not pulled', async () => {
  await cloud.call('ecr', 'CreateRepository', { repositoryName: 'api' });
  const { image } = await cloud.call('ecr', 'PutImage', {
    repositoryName: 'api',
    imageTag: '1',
    imageManifest: JSON.stringify({ schemaVersion: 2 }),
  });
  const uri = `${ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/api`;
  const digest = `${uri}@${image.imageId.imageDigest}`;
  for (const [name, reference] of Object.entries({ 'by-tag': `${uri}:1`, 'by-digest': digest })) {
    await kubernetes('POST', deploymentsPath, deployment(name, { image: reference }));
    await available(name, 1);
    const [pod] = await pods(name);
    expect(pod?.status).toMatchObject({ containerStatuses: [{ image: reference, imageID: digest, ready: true }] });
  }
  const absent = {
    'no-tag': `${uri}:2`,
    'no-digest': `${uri}@sha256:${'0'.repeat(64)}`,
    'no-repository': uri.replace(/api$/, 'none:1'),
    elsewhere: `${uri.replace('us-east-1', 'us-west-2')}:1`,
    'another-account': `999988887777${uri.slice(12)}:1`,
  };
  for (const [name, reference] of Object.entries(absent)) {
    await kubernetes('POST', deploymentsPath, deployment(name, { image: reference }));
    await eventually(async () =>
      expect((await pods(name))[0]?.status).toMatchObject({
        containerStatuses: [{ state: { waiting: { reason: 'ImagePullBackOff' } } }],
      }),
    );
  }
});
