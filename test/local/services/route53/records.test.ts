import type * as sdk from '@aws-sdk/client-route-53';
import { beforeEach, describe, expect, it } from 'vitest';
import { alias, codeOf, MINUTE, openSite, record, type Site } from './home.ts';

let site: Site;
let zone: string;
beforeEach(async () => {
  site = openSite();
  zone = await site.zone();
});

const statusOf = async (id: string | undefined) =>
  (await site.call<sdk.GetChangeResponse>('GetChange', { Id: id })).ChangeInfo?.Status;
const weighted = (name: string, value: string, id: string, weight: number, more = {}) =>
  record('CREATE', name, value, { SetIdentifier: id, Weight: weight, ...more });
const failover = (value: string, role: 'PRIMARY' | 'SECONDARY', more = {}) =>
  record('CREATE', 'api.stocker.example', value, { SetIdentifier: role, Failover: role, ...more });

describe('a hosted zone', () => {
  it('has name servers and an SOA, and answers once they are everywhere', async () => {
    const made = await site.call<sdk.CreateHostedZoneResponse>('CreateHostedZone', {
      Name: 'New.Example',
      CallerReference: 'new',
    });
    expect(made.HostedZone).toMatchObject({ Name: 'new.example.', ResourceRecordSetCount: 2 });
    expect(made.DelegationSet?.NameServers).toHaveLength(4);
    expect(site.service.answer('new.example', 'SOA').code).toBe('REFUSED');
    await site.home.clock.advance(MINUTE);
    expect(await statusOf(made.ChangeInfo?.Id)).toBe('INSYNC');
    expect(site.service.answer('new.example', 'SOA').answers).toMatchObject([{ ttl: 900, type: 'SOA' }]);
    expect(site.answers('new.example', 'NS')).toEqual(made.DelegationSet?.NameServers);
  });

  it('is listed by name from the right, and is deleted only when empty', async () => {
    for (const name of ['b.example', 'a.stocker.example', 'a.example']) await site.zone(name);
    const names = async (input: object) =>
      (await site.call<sdk.ListHostedZonesByNameResponse>('ListHostedZonesByName', input)).HostedZones?.map(
        ({ Name }) => Name,
      );
    expect(await names({})).toEqual(['a.example.', 'b.example.', 'stocker.example.', 'a.stocker.example.']);
    expect(await names({ DNSName: 'b.example', MaxItems: 2 })).toEqual(['b.example.', 'stocker.example.']);
    await site.change(zone, record('CREATE', 'api.stocker.example', '192.0.2.1'));
    expect(await codeOf(site.call('DeleteHostedZone', { Id: zone }))).toMatchObject({ code: 'HostedZoneNotEmpty' });
    await site.change(zone, record('DELETE', 'api.stocker.example', '192.0.2.1'));
    await site.call('DeleteHostedZone', { Id: zone });
    expect(await codeOf(site.call('GetHostedZone', { Id: zone }))).toMatchObject({ code: 'NoSuchHostedZone' });
  });

  it('of a VPC is private: listed beside the public one of its name, and answered to nobody outside', async () => {
    const made = await site.call<sdk.CreateHostedZoneResponse>('CreateHostedZone', {
      Name: 'stocker.example',
      CallerReference: 'private',
      VPC: { VPCRegion: 'us-east-1', VPCId: 'vpc-1' },
    });
    expect(made).toMatchObject({ VPC: { VPCId: 'vpc-1' } });
    const listed = await site.call<sdk.ListHostedZonesByNameResponse>('ListHostedZonesByName', {});
    expect(listed.HostedZones?.map(({ Name, Config }) => [Name, Config?.PrivateZone]).toSorted()).toEqual([
      ['stocker.example.', false],
      ['stocker.example.', true],
    ]);
    await site.change(made.HostedZone?.Id ?? '', record('CREATE', 'api.stocker.example', '10.0.0.1'));
    await site.change(zone, record('CREATE', 'api.stocker.example', '192.0.2.1'));
    await site.home.clock.advance(MINUTE);
    expect(site.answers('api.stocker.example')).toEqual(['192.0.2.1']);
    const flagged = { Name: 'a.example', CallerReference: 'a', HostedZoneConfig: { PrivateZone: true } };
    expect(await codeOf(site.call('CreateHostedZone', flagged))).toMatchObject({ code: 'InvalidInput' });
  });

  it('is made once for a caller reference', async () => {
    const again = site.call('CreateHostedZone', { Name: 'other.example', CallerReference: 'stocker.example' });
    expect(await codeOf(again)).toMatchObject({ code: 'HostedZoneAlreadyExists' });
  });
});

describe('a change', () => {
  it('is listed at once, and answered when it is in sync', async () => {
    const { Id } = await site.change(zone, record('CREATE', 'API.stocker.example', '192.0.2.1'));
    expect(await statusOf(Id)).toBe('PENDING');
    const listed = await site.call<sdk.ListResourceRecordSetsResponse>('ListResourceRecordSets', {
      HostedZoneId: zone,
      StartRecordName: 'api.stocker.example',
    });
    expect(listed.ResourceRecordSets).toEqual([
      { Name: 'api.stocker.example.', Type: 'A', TTL: 60, ResourceRecords: [{ Value: '192.0.2.1' }] },
    ]);
    expect(site.answers('api.stocker.example')).toEqual([]);
    await site.home.clock.advance(MINUTE - 2000);
    expect(site.answers('api.stocker.example')).toEqual([]);
    await site.home.clock.advance(2000);
    expect(await statusOf(Id)).toBe('INSYNC');
    expect(site.answers('api.stocker.example')).toEqual(['192.0.2.1']);
  });

  it('does all of a batch or nothing, and says every reason', async () => {
    const batch = site.change(
      zone,
      record('CREATE', 'api.stocker.example', '192.0.2.1'),
      record('DELETE', 'gone.stocker.example', '192.0.2.1'),
      record('CREATE', 'elsewhere.example', '192.0.2.1'),
      record('CREATE', 'odd.stocker.example', '192.0.2.300'),
    );
    await expect(batch).rejects.toMatchObject({
      code: 'InvalidChangeBatch',
      fields: {
        messages: [
          "Tried to delete resource record set [name='gone.stocker.example.', type='A'] but it was not found",
          'RRSet with DNS name elsewhere.example. is not permitted in zone stocker.example.',
          "Invalid Resource Record: '192.0.2.300' is no value of type A",
        ],
      },
    });
    await site.home.clock.advance(MINUTE);
    expect(site.answers('api.stocker.example')).toEqual([]);
  });

  it('is refused while another one of the zone is processed', async () => {
    const first = site.change(zone, record('CREATE', 'a.stocker.example', '192.0.2.1'));
    const second = site.call('ChangeResourceRecordSets', {
      HostedZoneId: zone,
      ChangeBatch: { Changes: [record('CREATE', 'b.stocker.example', '192.0.2.1')] },
    });
    expect(await codeOf(second)).toMatchObject({ code: 'PriorRequestNotComplete' });
    expect((await first).Status).toBe('PENDING');
    await expect(site.change(zone, record('CREATE', 'b.stocker.example', '192.0.2.1'))).resolves.toBeDefined();
  });

  it('upserts again to the same effect, and deletes only what it names exactly', async () => {
    for (const _ of [1, 2]) await site.change(zone, record('UPSERT', 'a.stocker.example', ['192.0.2.1', '192.0.2.2']));
    for (const wrong of [
      record('DELETE', 'a.stocker.example', '192.0.2.1'),
      record('DELETE', 'a.stocker.example', ['192.0.2.1', '192.0.2.2'], { TTL: 61 }),
    ]) {
      expect((await codeOf(site.change(zone, wrong))).message).toMatch(/do not match the current values/);
    }
    await site.change(zone, record('DELETE', 'a.stocker.example', ['192.0.2.2', '192.0.2.1']));
  });

  const simple = record('CREATE', 'a.stocker.example', '192.0.2.1');
  it.each([
    { case: 'creates what exists', given: [simple], change: simple, why: /but it already exists/ },
    {
      case: 'puts failover beside simple',
      given: [simple],
      change: record('CREATE', 'a.stocker.example', '192.0.2.2', { SetIdentifier: 'p', Failover: 'PRIMARY' }),
      why: /cannot be created as other RRSets exist with the same name and type/,
    },
    {
      case: 'puts weighted beside failover',
      given: [failover('192.0.2.1', 'PRIMARY')],
      change: weighted('api.stocker.example', '192.0.2.2', 'w', 1),
      why: /other RRSets exist/,
    },
    {
      case: 'adds a second primary',
      given: [failover('192.0.2.1', 'PRIMARY')],
      change: failover('192.0.2.2', 'PRIMARY', { SetIdentifier: 'second' }),
      why: /a PRIMARY failover RRSet exists/,
    },
    {
      case: 'gives weighted records different TTLs',
      given: [weighted('a.stocker.example', '192.0.2.1', 'one', 1)],
      change: weighted('a.stocker.example', '192.0.2.2', 'two', 1, { TTL: 30 }),
      why: /the same TTL/,
    },
    {
      case: 'puts a CNAME at the apex',
      given: [],
      change: record('CREATE', 'stocker.example', 'other.example', { Type: 'CNAME' as const }),
      why: /not permitted at apex/,
    },
    {
      case: 'puts a CNAME beside others',
      given: [simple],
      change: record('CREATE', 'a.stocker.example', 'other.example', { Type: 'CNAME' as const }),
      why: /conflicts with other records/,
    },
  ])('is refused when it $case', async ({ given, change, why }) => {
    if (given.length > 0) await site.change(zone, ...given);
    const refused = await codeOf(site.change(zone, change));
    expect(refused.code).toBe('InvalidChangeBatch');
    expect(refused.message).toMatch(why);
  });

  it('leaves the zone its name servers and its SOA', async () => {
    const { ResourceRecordSets = [] } = await site.call<sdk.ListResourceRecordSetsResponse>('ListResourceRecordSets', {
      HostedZoneId: zone,
    });
    for (const ResourceRecordSet of ResourceRecordSets) {
      const refused = await codeOf(site.change(zone, { Action: 'DELETE', ResourceRecordSet }));
      expect(refused.message).toMatch(/A HostedZone must contain/);
    }
  });

  it.each([
    { case: 'no identifier', set: { Weight: 1 }, code: 'InvalidInput' },
    {
      case: 'two policies',
      set: { SetIdentifier: 'x', Weight: 1, Failover: 'PRIMARY' as const },
      code: 'InvalidInput',
    },
    { case: 'no TTL', set: { TTL: undefined }, code: 'InvalidInput' },
    { case: 'a policy that is not here', set: { SetIdentifier: 'x', MultiValueAnswer: true }, code: 'NotImplemented' },
    { case: 'a type that is not here', set: { Type: 'CAA' as const }, code: 'NotImplemented' },
    { case: 'a check that does not exist', set: { HealthCheckId: 'none' }, code: 'NoSuchHealthCheck' },
  ])('is refused with $case', async ({ set, code }) => {
    expect(await codeOf(site.change(zone, record('CREATE', 'a.stocker.example', '192.0.2.1', set)))).toMatchObject({
      code,
    });
  });

  it('names what it touches to IAM', async () => {
    const input = {
      HostedZoneId: zone,
      ChangeBatch: {
        Changes: [
          record('UPSERT', '*.API.stocker.example.', '192.0.2.1'),
          record('DELETE', 'b.stocker.example', 'c.example', { Type: 'CNAME' }),
        ],
      },
    };
    expect(await site.access('ChangeResourceRecordSets', input)).toEqual([
      {
        action: 'route53:ChangeResourceRecordSets',
        resources: [`arn:aws:route53:::hostedzone/${zone.split('/').at(-1)}`],
        conditions: {
          'route53:ChangeResourceRecordSetsNormalizedRecordNames': ['\\052.api.stocker.example', 'b.stocker.example'],
          'route53:ChangeResourceRecordSetsRecordTypes': ['A', 'CNAME'],
          'route53:ChangeResourceRecordSetsActions': ['UPSERT', 'DELETE'],
        },
      },
    ]);
  });

  it('is found by who asks for its id', async () => {
    expect(await codeOf(site.call('GetChange', { Id: 'C0' }))).toMatchObject({ code: 'NoSuchChange' });
  });
});

describe('an answer', () => {
  it('is what TestDNSAnswer says', async () => {
    await site.change(zone, record('CREATE', 'a.stocker.example', 'b.stocker.example', { Type: 'CNAME' }));
    await site.change(zone, record('CREATE', 'b.stocker.example', '192.0.2.1'));
    await site.home.clock.advance(MINUTE);
    const ask = (RecordName: string, RecordType: string) =>
      site.call('TestDNSAnswer', { HostedZoneId: zone, RecordName, RecordType });
    expect(await ask('a.stocker.example', 'A')).toMatchObject({
      ...{ RecordName: 'a.stocker.example', RecordType: 'A', ResponseCode: 'NOERROR', Protocol: 'UDP' },
      RecordData: ['b.stocker.example.', '192.0.2.1'],
    });
    expect(await ask('none.stocker.example', 'A')).toMatchObject({ ResponseCode: 'NXDOMAIN', RecordData: [] });
  });

  it('is drawn by weight', async () => {
    let drawn = 0;
    site = openSite(() => drawn);
    zone = await site.zone();
    await site.change(
      zone,
      weighted('a.stocker.example', '192.0.2.1', 'one', 3),
      weighted('a.stocker.example', '192.0.2.2', 'two', 1),
      weighted('a.stocker.example', '192.0.2.3', 'none', 0),
    );
    await site.home.clock.advance(MINUTE);
    const seen = [0, 0.74, 0.76, 0.99].map((next) => {
      drawn = next;
      return site.answers('a.stocker.example')[0];
    });
    expect(seen).toEqual(['192.0.2.1', '192.0.2.1', '192.0.2.2', '192.0.2.2']);
  });

  it('comes from where an alias leads, with the TTL there', async () => {
    await site.change(
      zone,
      record('CREATE', 'east.stocker.example', '192.0.2.1', { TTL: 20 }),
      alias('CREATE', 'stocker.example', zone, 'east.stocker.example'),
    );
    await site.home.clock.advance(MINUTE);
    expect(site.service.answer('stocker.example', 'A').answers).toEqual([
      { name: 'stocker.example.', type: 'A', ttl: 20, data: '192.0.2.1' },
    ]);
    const dangling = alias('CREATE', 'b.stocker.example', zone, 'none.stocker.example');
    expect((await codeOf(site.change(zone, dangling))).message).toMatch(/that target was not found/);
    const outside = alias('CREATE', 'b.stocker.example', 'Z35SXDOTRQ7X7K', 'lb.us-east-1.elb.amazonaws.com');
    expect(await codeOf(site.change(zone, outside))).toMatchObject({ code: 'NotImplemented' });
  });
});

describe('lists of records', () => {
  it('go on where they ended', async () => {
    const names = ['c', 'a', '*', 'b'].map((label) => `${label}.stocker.example`);
    await site.change(zone, ...names.map((name) => record('CREATE', name, '192.0.2.1')));
    const seen: string[] = [];
    let start: object = {};
    for (let more = true; more; ) {
      const input = { HostedZoneId: zone, MaxItems: 2, ...start };
      const page = await site.call<sdk.ListResourceRecordSetsResponse>('ListResourceRecordSets', input);
      seen.push(...(page.ResourceRecordSets ?? []).map(({ Name, Type }) => `${Name} ${Type}`));
      more = page.IsTruncated ?? false;
      start = { StartRecordName: page.NextRecordName, StartRecordType: page.NextRecordType };
    }
    expect(seen).toEqual([
      ...['stocker.example. NS', 'stocker.example. SOA', '\\052.stocker.example. A', 'a.stocker.example. A'],
      ...['b.stocker.example. A', 'c.stocker.example. A'],
    ]);
  });
});
