import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openRegion, type RdsRegion } from './region.ts';

describe('a Region that goes dark', () => {
  let region: RdsRegion;
  beforeAll(async () => {
    region = await openRegion();
    await region.create('prod', { BackupRetentionPeriod: 7 });
  });
  afterAll(() => region?.stop());

  const goDark = async () => {
    region.outages.goDark('us-east-1', 'refuse');
    await region.service.goDark?.();
  };
  const comeBack = async () => {
    region.outages.comeBack('us-east-1');
    await region.service.comeBack?.();
  };
  const rowsOf = async (client: pg.Client) =>
    (await client.query<{ id: number }>('select id from ledger order by id')).rows.map(({ id }) => id);

  test('cuts its databases off in mid-work, and returns them with all that was acknowledged', async () => {
    const client = await region.connect('prod');
    await client.query('create table ledger (id int primary key)');
    const { Endpoint } = await region.describe('prod');
    const acknowledged: number[] = [];
    const cut = (async () => {
      for (let id = 1; ; id++) {
        await client.query('insert into ledger values ($1)', [id]);
        acknowledged.push(id);
      }
    })().catch((error: Error) => error.message);
    await expect.poll(() => acknowledged.length).toBeGreaterThan(50);
    await goDark();
    expect(await cut).toMatch(/terminat|ECONNRESET|closed/i);
    await expect(region.connect('prod')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await comeBack();

    const again = await region.connect('prod');
    const kept = await rowsOf(again);
    expect(kept.slice(0, acknowledged.length)).toEqual(acknowledged);
    expect(await region.describe('prod')).toMatchObject({ DBInstanceStatus: 'available', Endpoint });
    expect(region.events.filter(({ detail }) => detail.EventID === 'RDS-EVENT-0031')).toEqual([]);
    await again.end();
  });

  test('leaves its automated backups whole: what is written after the return can be restored', async () => {
    const client = await region.connect('prod');
    await client.query('insert into ledger values (-1)');
    const { rows } = await client.query<{ now: Date }>('select clock_timestamp() as now');
    const written = rows[0]?.now ?? new Date(Number.NaN);
    await expect
      .poll(async () => (await region.describe('prod')).LatestRestorableTime, { interval: 20 })
      .toSatisfy((latest: Date) => latest > written);
    await region.call('RestoreDBInstanceToPointInTime', {
      ...{ SourceDBInstanceIdentifier: 'prod', TargetDBInstanceIdentifier: 'copy', UseLatestRestorableTime: true },
    });
    await region.until('copy', 'available');
    const copy = await region.connect('copy');
    expect(await rowsOf(copy)).toEqual(await rowsOf(client));
    for (const each of [client, copy]) await each.end();
  });

  test('does not end what was being made: it is there when the Region returns', async () => {
    await region.call('CreateDBInstance', {
      ...{ DBInstanceIdentifier: 'late', Engine: 'postgres', DBInstanceClass: 'db.t3.micro', AllocatedStorage: 20 },
      ...{ MasterUsername: 'stocker', MasterUserPassword: 'correct-horse', BackupRetentionPeriod: 1 },
    });
    await goDark();
    await comeBack();
    expect(await region.until('late', 'available')).not.toContain('failed');
    const client = await region.connect('late');
    await client.end();
  });
});
