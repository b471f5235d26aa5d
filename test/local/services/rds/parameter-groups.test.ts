import type * as sdk from '@aws-sdk/client-rds';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openRegion, type RdsRegion } from './region.ts';

describe('a parameter group', () => {
  let region: RdsRegion;
  const name = 'stocker';
  const group = { DBParameterGroupName: name };

  beforeAll(async () => {
    region = await openRegion();
    await region.call('CreateDBParameterGroup', { ...group, DBParameterGroupFamily: 'postgres18', Description: 'd' });
    await set('max_connections', '30', 'pending-reboot');
    await region.create('prod', { ...group, BackupRetentionPeriod: 0 });
  });
  afterAll(() => region?.stop());

  const set = (ParameterName: string, ParameterValue: string, ApplyMethod: string) =>
    region.call('ModifyDBParameterGroup', { ...group, Parameters: [{ ParameterName, ParameterValue, ApplyMethod }] });
  const read = async (parameter: string) => {
    const client = await region.connect('prod');
    const { rows } = await client.query<Record<string, string>>(`show ${parameter}`).finally(() => client.end());
    return rows[0]?.[parameter];
  };
  const status = async () => (await region.describe('prod')).DBParameterGroups?.[0]?.ParameterApplyStatus;
  const reboot = async () => {
    await region.call('RebootDBInstance', { DBInstanceIdentifier: 'prod' });
    await region.until('prod', 'available');
  };

  test('is in force from the creation of an instance', async () => {
    expect(await read('max_connections')).toBe('30');
    expect(await status()).toBe('in-sync');
  });

  test('changes a dynamic parameter at once', async () => {
    await set('work_mem', '1234', 'immediate');
    await expect.poll(() => read('work_mem')).toBe('1234kB');
    expect(await status()).toBe('in-sync');
  });

  test('changes a static parameter at the next reboot', async () => {
    await set('max_connections', '40', 'pending-reboot');
    expect(await status()).toBe('pending-reboot');
    expect(await read('max_connections')).toBe('30');
    await reboot();
    expect(await read('max_connections')).toBe('40');
    expect(await status()).toBe('in-sync');
  });

  test('lets clients in without TLS when rds.force_ssl is off', async () => {
    const connect = async (): Promise<pg.Client> => region.connect('prod', { ssl: false });
    await expect(connect()).rejects.toMatchObject({ code: '28000' });
    await set('rds.force_ssl', '0', 'immediate');
    await expect
      .poll(() =>
        connect().then(
          (client) => client.end(),
          ({ code }) => code,
        ),
      )
      .toBe(undefined);
  });

  test('shows its own values and every default', async () => {
    const list = async (input: object) =>
      region.call<sdk.DescribeDBParametersCommandOutput>('DescribeDBParameters', { ...group, ...input });
    const own = await list({ Source: 'user' });
    expect(own.Parameters?.map((parameter) => [parameter.ParameterName, parameter.ParameterValue]).sort()).toEqual([
      ['max_connections', '40'],
      ['rds.force_ssl', '0'],
      ['work_mem', '1234'],
    ]);
    const names = new Set<string | undefined>();
    for (let Marker: string | undefined; ; ) {
      const page = await list({ MaxRecords: 100, ...(Marker && { Marker }) });
      for (const { ParameterName } of page.Parameters ?? []) names.add(ParameterName);
      Marker = page.Marker;
      if (Marker === undefined) break;
    }
    expect(names.size).toBeGreaterThan(300);
  });

  test('resets a parameter', async () => {
    await region.call('ResetDBParameterGroup', {
      ...group,
      ResetAllParameters: false,
      Parameters: [{ ParameterName: 'work_mem', ApplyMethod: 'immediate' }],
    });
    await expect.poll(() => read('work_mem')).toBe('4MB');
  });

  test.each([
    {
      case: 'an unknown parameter',
      parameter: 'nobody',
      value: '1',
      method: 'immediate',
      code: 'InvalidParameterValue',
    },
    {
      case: 'a parameter that RDS owns',
      parameter: 'fsync',
      value: 'off',
      method: 'immediate',
      code: 'InvalidParameterValue',
    },
    {
      case: 'a value out of range',
      parameter: 'max_connections',
      value: '0',
      method: 'pending-reboot',
      code: 'InvalidParameterValue',
    },
    {
      case: 'a static parameter at once',
      parameter: 'max_connections',
      value: '50',
      method: 'immediate',
      code: 'InvalidParameterCombination',
    },
    {
      case: 'a formula',
      parameter: 'max_connections',
      value: '{DBInstanceClassMemory/9531392}',
      method: 'pending-reboot',
      code: 'NotImplemented',
    },
  ])('refuses $case', async ({ parameter, value, method, code }) => {
    await expect(set(parameter, value, method)).rejects.toMatchObject({ code });
  });

  test('cannot be deleted while an instance uses it', async () => {
    await expect(region.call('DeleteDBParameterGroup', group)).rejects.toMatchObject({
      code: 'InvalidDBParameterGroupStateFault',
    });
  });

  test('that PostgreSQL cannot start with leaves the instance incompatible-parameters, until it is corrected', async () => {
    await set('shared_buffers', '1073741823', 'pending-reboot'); // 8 TB
    await region.call('RebootDBInstance', { DBInstanceIdentifier: 'prod' });
    await expect.poll(async () => (await region.describe('prod')).DBInstanceStatus).toBe('incompatible-parameters');
    expect(region.events.at(-1)?.detail.EventID).toBe('RDS-EVENT-0035');
    await set('shared_buffers', '4096', 'pending-reboot');
    await reboot();
    expect(await read('shared_buffers')).toBe('32MB');
  });
});
