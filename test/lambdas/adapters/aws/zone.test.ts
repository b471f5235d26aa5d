/** Which hosted zone is production's, where others bear its name: the real SDK against the embedded Route 53. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { zoneNamed } from '../../../../lambdas/adapters/aws/zone.ts';
import { type Cloud, startCloud } from '../../../../local/cloud.ts';

const region = 'us-east-1';
const vpc = { VPC: { VPCRegion: region, VPCId: 'vpc-1' } };
const ours = { AWS_ACCESS_KEY_ID: 'operator', AWS_SECRET_ACCESS_KEY: 'operator' };
const before = Object.fromEntries(['AWS_ENDPOINT_URL', ...Object.keys(ours)].map((name) => [name, process.env[name]]));

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud({ assemblies: [], account: '111122223333', regions: [region] });
  Object.assign(process.env, { ...ours, AWS_ENDPOINT_URL: cloud.endpoint });
});
afterAll(async () => {
  for (const [name, value] of Object.entries(before)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  await cloud.stop();
});

let made = 0;
async function make(Name: string, more: object = {}): Promise<string> {
  const input = { Name, CallerReference: String(++made), ...more };
  const { HostedZone } = (await cloud.call('route-53', 'CreateHostedZone', input, region)) as {
    HostedZone: { Id: string };
  };
  return HostedZone.Id;
}

it('is the public one, however many private ones bear its name', async () => {
  // Ids are drawn: among several private zones the public one is hardly the first.
  for (let count = 0; count < 4; count++) await make('split.example', vpc);
  const wanted = await make('split.example');
  for (let count = 0; count < 4; count++) await make('split.example', vpc);
  await make('after.split.example');
  expect(await zoneNamed('split.example')).toBe(wanted);
});

it('is none where there are private ones only, or others', async () => {
  await make('inner.example', vpc);
  await make('other.inner.example');
  expect(await zoneNamed('inner.example')).toBeUndefined();
});

it('is refused by names where there are several public ones', async () => {
  const ids = [await make('twice.example'), await make('twice.example')].map((id) => id.replace('/hostedzone/', ''));
  const refusal = await zoneNamed('twice.example').catch((error: unknown) => error);
  expect(refusal).toMatchObject({ name: 'ZoneAmbiguous' });
  for (const id of ids) expect((refusal as Error).message).toContain(id);
});
