/** Service Quotas: what the account may have of what a recovery makes. */
import type * as sdk from '@aws-sdk/client-service-quotas';
import { AwsError, type Home, type Operation, type Service, type ServiceDefinition } from '../../kernel.ts';
import { operation, page } from '../declare.ts';
import { type Quota, quotas, serviceNames } from './quotas.ts';

export interface QuotasService extends Service {
  quota(serviceCode: string, quotaCode: string): number;
  /** What support does to a quota, either way. */
  set(serviceCode: string, quotaCode: string, value: number): void;
}

/** What a service of the Region may have, as Service Quotas tells it; the default where the service stands alone. */
export function quotaOf(home: Home, serviceCode: string, quotaCode: string): number {
  const service = home.service('service-quotas') as Partial<QuotasService>;
  return service.quota?.(serviceCode, quotaCode) ?? defaultOf(serviceCode, quotaCode).value;
}

export const serviceQuotas: ServiceDefinition = {
  name: 'service-quotas',
  sdk: '@aws-sdk/client-service-quotas',
  create(home): QuotasService {
    const applied = new Map<string, number>();
    const quota = (serviceCode: string, quotaCode: string) => {
      const { value } = defaultOf(serviceCode, quotaCode);
      return applied.get(`${serviceCode}/${quotaCode}`) ?? value;
    };
    return {
      quota,
      set(serviceCode, quotaCode, value) {
        applied.set(`${serviceCode}/${defaultOf(serviceCode, quotaCode).code}`, value);
      },
      operations: quotaOperations(home, ({ service, code }) => quota(service, code)),
    };
  },
};

function quotaOperations(home: Home, appliedValueOf: (quota: Quota) => number): Record<string, Operation> {
  const show = (quota: Quota, value: number): sdk.ServiceQuota => ({
    ServiceCode: quota.service,
    ServiceName: serviceNames[quota.service],
    QuotaArn: `arn:aws:servicequotas:${home.region}:${home.account}:${quota.service}/${quota.code}`,
    QuotaCode: quota.code,
    QuotaName: quota.name,
    Value: value,
    Unit: 'None',
    Adjustable: quota.isAdjustable,
    GlobalQuota: false,
    QuotaAppliedAtLevel: 'ACCOUNT',
  });
  /** These actions have no resource type: only requests for increases have. */
  const access = (action: string) => () => ({ action: `servicequotas:${action}`, resources: ['*'] });
  const list = (
    { ServiceCode = '', MaxResults = 100, NextToken }: sdk.ListServiceQuotasCommandInput,
    read: (quota: Quota) => number,
  ) => {
    const { items, next } = page(quotasOf(ServiceCode), NextToken, MaxResults);
    return { Quotas: items.map((quota) => show(quota, read(quota))), ...(next && { NextToken: next }) };
  };
  return {
    ListServiceQuotas: operation<sdk.ListServiceQuotasCommandInput, sdk.ListServiceQuotasCommandOutput>(
      ['ServiceCode', 'MaxResults', 'NextToken'],
      access('ListServiceQuotas'),
      (input) => list(input, appliedValueOf),
    ),
    ListAWSDefaultServiceQuotas: operation<
      sdk.ListAWSDefaultServiceQuotasCommandInput,
      sdk.ListAWSDefaultServiceQuotasCommandOutput
    >(['ServiceCode', 'MaxResults', 'NextToken'], access('ListAWSDefaultServiceQuotas'), (input) =>
      list(input, ({ value }) => value),
    ),
    GetServiceQuota: operation<sdk.GetServiceQuotaCommandInput, sdk.GetServiceQuotaCommandOutput>(
      ['ServiceCode', 'QuotaCode'],
      access('GetServiceQuota'),
      ({ ServiceCode = '', QuotaCode = '' }) => {
        const quota = defaultOf(ServiceCode, QuotaCode);
        return { Quota: show(quota, appliedValueOf(quota)) };
      },
    ),
  };
}

function quotasOf(serviceCode: string): readonly Quota[] {
  const found = quotas.filter(({ service }) => service === serviceCode);
  if (found.length === 0) throw new AwsError('NoSuchResourceException', `The service ${serviceCode} does not exist.`);
  return found;
}

function defaultOf(serviceCode: string, quotaCode: string): Quota {
  const found = quotasOf(serviceCode).find(({ code }) => code === quotaCode);
  if (!found) throw new AwsError('NoSuchResourceException', `The quota ${quotaCode} of ${serviceCode} does not exist.`);
  return found;
}
