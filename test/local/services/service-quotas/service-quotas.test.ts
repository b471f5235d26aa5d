import { afterAll, beforeAll, expect, test } from 'vitest';
import { type QuotasService, serviceQuotas } from '../../../../local/services/service-quotas/index.ts';
import { storage } from '../storage-home.ts';

const cloud = storage([serviceQuotas]);
beforeAll(() => cloud.ready);
afterAll(() => cloud.stop());
const call = (operation: string, input: object) => cloud.call('service-quotas', operation, input);

test('tells what a new account may have, until it is changed, each Region for itself', async () => {
  const snapshots = { ServiceCode: 'rds', QuotaCode: 'L-272F1212' };
  expect((await call('GetServiceQuota', snapshots)).Quota).toMatchObject({
    QuotaName: 'Manual DB instance snapshots',
    Value: 100,
    Adjustable: true,
  });
  (cloud.service('service-quotas') as QuotasService).set('rds', 'L-272F1212', 300);
  expect((await call('GetServiceQuota', snapshots)).Quota.Value).toBe(300);
  const there = await cloud.call('service-quotas', 'GetServiceQuota', snapshots, undefined, 'us-west-2');
  expect(there.Quota.Value).toBe(100);
  const { Quotas } = await call('ListAWSDefaultServiceQuotas', { ServiceCode: 'rds' });
  expect(Quotas.find(({ QuotaCode }: { QuotaCode: string }) => QuotaCode === 'L-272F1212').Value).toBe(100);
});

test.each(['rds', 'ec2', 'eks'])('lists those of %s', async (ServiceCode) => {
  const { Quotas } = await call('ListServiceQuotas', { ServiceCode, MaxResults: 1 });
  expect(Quotas).toMatchObject([{ ServiceCode, Value: expect.any(Number) }]);
});

test('refuses services and quotas that it does not know', async () => {
  const code = 'NoSuchResourceException';
  await expect(call('ListServiceQuotas', { ServiceCode: 'x' })).rejects.toMatchObject({ code });
  await expect(call('GetServiceQuota', { ServiceCode: 'rds', QuotaCode: 'x' })).rejects.toMatchObject({ code });
});

test('presents no resource to IAM, because its reads have none', async () => {
  expect(await cloud.access('service-quotas', 'GetServiceQuota', {})).toMatchObject([
    { action: 'servicequotas:GetServiceQuota', resources: ['*'] },
  ]);
});
