import { beforeEach, describe, expect, it } from 'vitest';
import { authorize } from '../../../../local/authorization/authorize.ts';
import type { PolicyStatement } from '../../../../local/kernel.ts';
import { ACCOUNT, context, REGION } from '../fake-home.ts';
import { MINUTE, openSite, record, type Site } from './home.ts';

let site: Site;
beforeEach(() => {
  site = openSite();
});

/** Lets pass the time that a stack waits for name servers. */
async function create(type: string, properties: Record<string, unknown>, logicalId = 'Thing') {
  const made = Promise.resolve(site.service.resources?.[type]?.create(properties, { ...context, logicalId }));
  made.catch(() => {}); // it may fail while time passes; who awaits it is told
  await site.home.clock.advance(2 * MINUTE);
  return made;
}

describe('a stack', () => {
  it('makes a zone, a check and records that name servers have', async () => {
    const zone = await create('AWS::Route53::HostedZone', {
      ...{ Name: 'stocker.example', HostedZoneConfig: { Comment: 'of the test' } },
      HostedZoneTags: [{ Key: 'team', Value: 'stock' }],
    });
    expect(zone?.attributes).toMatchObject({
      Id: zone?.ref,
      NameServers: expect.arrayContaining([expect.any(String)]),
    });
    const check = await create('AWS::Route53::HealthCheck', {
      HealthCheckConfig: { Type: 'TCP', IPAddress: '127.0.0.1', Port: '8080', Disabled: 'true', Inverted: 'false' },
      HealthCheckTags: [{ Key: 'team', Value: 'stock' }],
    });
    expect(check?.attributes).toEqual({ HealthCheckId: check?.ref });
    const common = { Name: 'api.stocker.example', Type: 'A', TTL: '30' };
    await create('AWS::Route53::RecordSet', {
      ...common,
      ...{ HostedZoneId: zone?.ref, SetIdentifier: 'p', Failover: 'PRIMARY', HealthCheckId: check?.ref },
      ResourceRecords: ['192.0.2.1'],
    });
    const secondary = await create('AWS::Route53::RecordSet', {
      ...{ ...common, HostedZoneName: 'stocker.example.', SetIdentifier: 's', Failover: 'SECONDARY' },
      ResourceRecords: ['192.0.2.2'],
    });
    expect(secondary?.ref).toBe('api.stocker.example');
    expect(site.answers('api.stocker.example')).toEqual(['192.0.2.1']);
    await site.call('UpdateHealthCheck', { HealthCheckId: check?.ref, Inverted: true });
    expect(site.answers('api.stocker.example')).toEqual(['192.0.2.2']);
    const target = { ResourceType: 'healthcheck', ResourceId: check?.ref };
    expect(await site.call('ListTagsForResource', target)).toMatchObject({
      ResourceTagSet: { Tags: [{ Key: 'team', Value: 'stock' }] },
    });
  });

  it.each([
    { type: 'AWS::Route53::HostedZone', properties: { Name: 'a.example', VPCs: [] } },
    { type: 'AWS::Route53::RecordSet', properties: { Name: 'a.example', Type: 'A', GeoLocation: {} } },
    { type: 'AWS::Route53::HealthCheck', properties: { HealthCheckConfig: { Type: 'RECOVERY_CONTROL' } } },
  ])('is refused what $type does not honour', async ({ type, properties }) => {
    await expect(create(type, properties)).rejects.toMatchObject({ code: 'NotImplemented' });
  });
});

describe('a role that may point one name elsewhere', () => {
  const roleArn = `arn:aws:iam::${ACCOUNT}:role/traffic`;
  const key = 'route53:ChangeResourceRecordSets';
  const statement: PolicyStatement = {
    ...{ Effect: 'Allow', Action: key, Resource: 'arn:aws:route53:::hostedzone/Z1' },
    Condition: {
      'ForAllValues:StringEquals': {
        [`${key}NormalizedRecordNames`]: ['api.stocker.example'],
        [`${key}RecordTypes`]: ['A'],
        [`${key}Actions`]: ['UPSERT'],
      },
    },
  };
  const attempt = async (HostedZoneId: string, ...Changes: ReturnType<typeof record>[]) => {
    const access = await site.access('ChangeResourceRecordSets', { HostedZoneId, ChangeBatch: { Changes } });
    const policies = {
      identityPolicies: () => [{ Version: '2012-10-17', Statement: [statement] }],
      resourcePolicy: () => undefined,
      globals: () => ({}),
    };
    const principal = { kind: 'role', roleArn, sessionName: 'x' } as const;
    authorize(principal, access, policies, { account: ACCOUNT, region: REGION, principal, requestId: 'r' });
  };
  const allowed = record('UPSERT', 'API.stocker.example.', '192.0.2.1');

  it('is allowed that, and refused every other name, type, action and zone', async () => {
    await expect(attempt('Z1', allowed)).resolves.toBeUndefined();
    for (const [zone, ...changes] of [
      ['Z1', allowed, record('UPSERT', 'www.stocker.example', '192.0.2.1')],
      ['Z1', record('UPSERT', 'api.stocker.example', 'x.example', { Type: 'CNAME' })],
      ['Z1', record('DELETE', 'api.stocker.example', '192.0.2.1')],
      ['Z2', allowed],
    ] as const) {
      await expect(attempt(zone, ...changes)).rejects.toThrow(/not authorized to perform: route53:Change/);
    }
  });
});
