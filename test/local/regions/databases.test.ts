/** Databases of a whole cloud whose Regions go dark one after the other. */
import type { DescribeDBInstancesCommandOutput } from '@aws-sdk/client-rds';
import pg from 'pg';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { scaledClock } from '../../../local/clock.ts';
import { type Cloud, startCloud } from '../../../local/cloud.ts';

const regions = ['us-east-1', 'us-west-2'] as const;
type Region = (typeof regions)[number];

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud({ assemblies: [], clock: scaledClock(600) });
  for (const region of regions) {
    const instance = { DBInstanceIdentifier: 'prod', Engine: 'postgres', DBInstanceClass: 'db.t3.micro' };
    const rest = { AllocatedStorage: 20, MasterUsername: 'stocker', MasterUserPassword: 'correct-horse' };
    await cloud.call('rds', 'CreateDBInstance', { ...instance, ...rest, BackupRetentionPeriod: 1 }, region);
  }
  const ready = async (region: Region) => expect(await statusOf(region)).toBe('available');
  for (const region of regions) await vi.waitFor(() => ready(region), { timeout: 60_000, interval: 50 });
});
afterAll(() => cloud.stop());

async function describe(region: Region) {
  const found = await cloud.call<DescribeDBInstancesCommandOutput>('rds', 'DescribeDBInstances', {}, region);
  return found.DBInstances?.[0];
}
const statusOf = async (region: Region) => (await describe(region))?.DBInstanceStatus;

async function connect(port: number | undefined): Promise<pg.Client> {
  const ssl = { ca: cloud.certificateAuthority };
  const client = new pg.Client({
    ...{ host: '127.0.0.1', port, database: 'postgres', user: 'stocker', password: 'correct-horse', ssl },
  });
  client.on('error', () => {});
  await client.connect();
  return client;
}

it.each([
  { dark: regions[0], other: regions[1] },
  { dark: regions[1], other: regions[0] },
])('those of $dark are lost with it and recover, those of $other go on', async ({ dark, other }) => {
  const [lost, kept] = [(await describe(dark))?.Endpoint?.Port, (await describe(other))?.Endpoint?.Port];
  const client = await connect(lost);
  await client.query('create table if not exists ledger (id int); insert into ledger values (1)');
  const cut = new Promise((resolve) => client.once('end', resolve));
  await cloud.goDark(dark);
  await cut;
  await expect(connect(lost)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  const living = await connect(kept);
  await living.query('create table if not exists ledger (id int); insert into ledger values (1)');
  await cloud.comeBack(dark);
  const again = await connect(lost);
  expect((await again.query('select id from ledger')).rowCount).toBeGreaterThan(0);
  await expect.poll(() => statusOf(dark)).toBe('available');
  for (const each of [living, again]) await each.end();
});
