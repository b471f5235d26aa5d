import { request } from 'node:https';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scaledClock } from '../../../../local/clock.ts';
import { eks } from '../../../../local/services/eks/index.ts';
import type { EksService } from '../../../../local/services/eks/service.ts';
import { ACCOUNT } from '../fake-home.ts';
import { storage } from '../storage-home.ts';

const server = `
  const { createServer } = require('node:http');
  createServer((_, response) => response.end(String(process.pid))).listen(process.env.PORT, '127.0.0.1');`;
const labels = { app: 'api' };
const deployment = {
  ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'api', namespace: 'default' } },
  spec: {
    ...{ replicas: 1, selector: { matchLabels: labels } },
    template: {
      metadata: { labels },
      spec: { containers: [{ name: 'api', image: 'api:1', readinessProbe: { httpGet: { path: '/', port: 8080 } } }] },
    },
  },
};
const balancer = {
  ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'api', namespace: 'default' } },
  spec: { type: 'LoadBalancer', selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
};

const cloud = storage([eks], {
  clock: scaledClock(60),
  images: { 'api:1': { command: [process.execPath, '-e', server] } },
});
let endpoint = '';
let address = '';

beforeAll(async () => {
  await cloud.ready;
  const roleArn = `arn:aws:iam::${ACCOUNT}:role/any`;
  await cloud.call('eks', 'CreateCluster', {
    ...{ name: 'stocker', roleArn, resourcesVpcConfig: { subnetIds: ['subnet-a'] } },
    accessConfig: { authenticationMode: 'API' },
  });
  await cloud.call('eks', 'CreateNodegroup', {
    ...{ clusterName: 'stocker', nodegroupName: 'workers', subnets: ['subnet-a'], nodeRole: roleArn },
    scalingConfig: { minSize: 1, maxSize: 1, desiredSize: 1 },
  });
  const setup = (cloud.service('eks') as EksService).kubernetes('stocker');
  for (const manifest of [deployment, balancer]) await setup.apply(manifest);
  address = await setup.address('default', 'api');
  endpoint = (await cloud.call('eks', 'DescribeCluster', { name: 'stocker' })).cluster.endpoint;
});
afterAll(() => cloud.stop());

const pid = async () => Number(await (await fetch(address)).text());
const isThere = (id: number) => {
  try {
    return process.kill(id, 0);
  } catch {
    return false;
  }
};
const version = () =>
  new Promise<number | undefined>((resolve, reject) => {
    request(`${endpoint}/version`, { rejectUnauthorized: false }, ({ statusCode }) => resolve(statusCode))
      .on('error', reject)
      .end();
  });

test('a cluster is gone with its Region: its API, its pods; they start again when it returns', async () => {
  expect(await version()).toBe(200);
  const before = await pid();
  await cloud.goDark('eks');
  await expect(pid()).rejects.toThrow('fetch failed');
  await expect(version()).rejects.toMatchObject({ code: 'ECONNRESET' });
  // It was killed; the kernel has it until it is reaped.
  await expect.poll(() => isThere(before)).toBe(false);
  await cloud.comeBack('eks');
  expect(await version()).toBe(200);
  await expect.poll(() => pid().catch(() => before)).not.toBe(before);
});
