/** What somebody deletes is there before, and gone afterwards; whoever did it is known to the cloud. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { scaledClock } from '../../../local/clock.ts';
import { type Cloud, startCloud } from '../../../local/cloud.ts';
import type { Victim } from '../../../workload/disasters/disaster.ts';
import { disasters } from '../../../workload/disasters/index.ts';
import { makeZone } from '../../../workload/infrastructure/zone.ts';

const root = mkdtempSync(join(tmpdir(), 'disasters-'));
const region = 'us-east-1';
const kubectl: (readonly string[])[] = [];

let cloud: Cloud;
let configuration: NonNullable<Victim['configuration']>;
let HostedZoneId: string;
beforeAll(async () => {
  cloud = await startCloud({ assemblies: [], directory: root, clock: scaledClock(10_000) });
  const credentials = { accessKeyId: 'AKIAPERSON', secretAccessKey: 'any' };
  const connection = { endpoint: cloud.endpoint, credentials };
  const names = { primary: 'east.example.com', secondary: 'west.example.com' };
  const plan = {
    name: 'example.com',
    ttlSeconds: 60,
    fixed: [{ name: 'api.west.example.com', port: 2 }],
    shifted: [{ name: 'api.example.com', ...names, ports: { primary: 1, secondary: 2 } }],
  };
  HostedZoneId = await makeZone(plan, connection, true);
  configuration = {
    connection,
    region,
    zone: 'example.com',
    record: 'api.example.com',
    secret: 'app',
    service: { namespace: 'stocker', name: 'api' },
    kubectl: async (argv) => void kubectl.push(argv),
  };
});
afterAll(async () => {
  await cloud.stop();
  rmSync(root, { recursive: true });
});

const strike = (name: string) => disasters[name]?.strike({ configuration } as Victim);
const records = async () => {
  const input = { HostedZoneId };
  const answer = await cloud.call<{ ResourceRecordSets: { Name: string; Type: string }[] }>(
    'route-53',
    'ListResourceRecordSets',
    input,
    region,
  );
  return answer.ResourceRecordSets.map(({ Name, Type }) => `${Type} ${Name}`);
};
const secret = (where = region) => cloud.call('secrets-manager', 'GetSecretValue', { SecretId: 'app' }, where);

it('record-deleted takes every set of the record, and no other', async () => {
  const before = await records();
  expect(before).toContain('SRV api.example.com.');
  expect(await strike('record-deleted')).toMatch(/DELETE of api.example.com \(SRV\)/);
  expect(await records()).toEqual(before.filter((each) => each !== 'SRV api.example.com.'));
  await expect(strike('record-deleted')).rejects.toThrow('has no record api.example.com');
});

it('secret-deleted leaves a secret that nobody reads and that can be taken back, and no replica', async () => {
  const input = { Name: 'app', SecretString: 'x', AddReplicaRegions: [{ Region: 'us-west-2' }] };
  await cloud.call('secrets-manager', 'CreateSecret', input, region);
  expect(await secret('us-west-2')).toMatchObject({ SecretString: 'x' });
  expect(await strike('secret-deleted')).toMatch(
    /^RemoveRegionsFromReplication \(us-west-2\), then DeleteSecret of app/,
  );
  await expect(secret()).rejects.toMatchObject({ code: 'InvalidRequestException' });
  await expect(secret('us-west-2')).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
  await cloud.call('secrets-manager', 'RestoreSecret', { SecretId: 'app' }, region);
  expect(await secret()).toMatchObject({ SecretString: 'x' });
});

it('workload-deleted is what a person types', async () => {
  expect(await strike('workload-deleted')).toBe('kubectl delete service api --namespace stocker');
  expect(kubectl).toEqual([['delete', 'service', 'api', '--namespace', 'stocker']]);
});
