import { describe, expect, it } from 'vitest';
import { parseData, type RecordType, showData } from '../../../local/dns/data.ts';
import { lookUp, type Zone } from '../../../local/dns/lookup.ts';
import { canonicalName, compareNames, escapedName, isDomainName } from '../../../local/dns/names.ts';

/** A zone of `name type value` lines, all with a TTL of 60. */
function zone(name: string, ...lines: string[]): Zone {
  const records = [
    `${name} SOA ns.${name} admin.${name} 1 7200 900 1209600 30`,
    `${name} NS ns.elsewhere.example.`,
    ...lines,
  ].map((line) => {
    const [owner = '', type, ...value] = line.split(' ');
    const data = parseData(type as RecordType, value.join(' '));
    if (data === undefined) throw new Error(line);
    return { owner: canonicalName(owner), type, ttl: 60, data };
  });
  return {
    name: canonicalName(name),
    exists: (asked) => records.some(({ owner }) => owner === asked || owner.endsWith(`.${asked}`)),
    records(asked, type) {
      const found = records.filter((record) => record.owner === asked && record.type === type);
      return found.length > 0 ? found.map(({ ttl, data }) => ({ ttl, data })) : undefined;
    },
  };
}

const zones = [
  zone(
    'stocker.example',
    'www.stocker.example A 192.0.2.1',
    'www.stocker.example A 192.0.2.2',
    'alias.stocker.example CNAME www.stocker.example',
    'out.stocker.example CNAME www.elsewhere.example',
    'loop.stocker.example CNAME loop.stocker.example',
    'a.deep.stocker.example A 192.0.2.3',
    '*.wild.stocker.example A 192.0.2.4',
    'eu.stocker.example NS ns.eu.stocker.example',
    'ns.eu.stocker.example A 192.0.2.5',
  ),
  zone('inner.stocker.example', 'www.inner.stocker.example A 192.0.2.6'),
];
const ask = (name: string, type: RecordType | undefined = 'A') => lookUp(zones, name, type);
const values = (name: string, type?: RecordType) => ask(name, type).answers.map(({ data }) => data);

describe('an authoritative answer', () => {
  it('is all records of a name and type', () => {
    expect(values('www.stocker.example.')).toEqual(['192.0.2.1', '192.0.2.2']);
    expect(ask('www.stocker.example.')).toMatchObject({ code: 'NOERROR', isAuthoritative: true });
  });

  it.each([
    { case: 'a name that is not there', name: 'none.stocker.example.', code: 'NXDOMAIN' },
    { case: 'a type that is not there', name: 'www.stocker.example.', type: 'AAAA' as const, code: 'NOERROR' },
    { case: 'a name that has others below', name: 'deep.stocker.example.', code: 'NOERROR' },
    { case: 'a name beside a wildcard’s parent', name: 'wild.stocker.example.', code: 'NOERROR' },
  ])('says for how long $case may be taken as absent', ({ name, type, code }) => {
    expect(ask(name, type)).toMatchObject({ code, answers: [], authorities: [{ type: 'SOA', ttl: 30 }] });
  });

  it('follows a CNAME within the zone, and only there', () => {
    expect(values('alias.stocker.example.')).toEqual(['www.stocker.example', '192.0.2.1', '192.0.2.2']);
    expect(values('alias.stocker.example.', 'CNAME')).toEqual(['www.stocker.example']);
    expect(values('out.stocker.example.')).toEqual(['www.elsewhere.example']);
    expect(values('loop.stocker.example.')).toHaveLength(8);
  });

  it('comes from a wildcard for any name below, under the name that was asked for', () => {
    expect(ask('x.y.wild.stocker.example.').answers).toMatchObject([
      { name: 'x.y.wild.stocker.example.', data: '192.0.2.4' },
    ]);
  });

  it('refers to the servers of a part that is delegated, with their addresses', () => {
    const { isAuthoritative, answers, authorities, additionals } = ask('api.eu.stocker.example.');
    expect({ isAuthoritative, answers }).toEqual({ isAuthoritative: false, answers: [] });
    expect(authorities).toMatchObject([{ name: 'eu.stocker.example.', data: 'ns.eu.stocker.example' }]);
    expect(additionals).toMatchObject([{ name: 'ns.eu.stocker.example.', data: '192.0.2.5' }]);
  });

  it('comes from the closest zone, and from none where there is none', () => {
    expect(values('www.inner.stocker.example.')).toEqual(['192.0.2.6']);
    expect(ask('www.example.').code).toBe('REFUSED');
    expect(ask('xstocker.example.').code).toBe('REFUSED');
  });
});

describe('record data', () => {
  it.each([
    ['A', '192.0.2.1'],
    ['AAAA', '2001:db8::1'],
    ['CNAME', 'www.stocker.example.'],
    ['MX', '10 mail.stocker.example.'],
    ['SRV', '1 2 8080 east.stocker.example.'],
    ['TXT', '"v=spf1 -all" "a \\"quoted\\" word"'],
    ['SOA', 'ns.stocker.example. admin.stocker.example. 1 7200 900 1209600 86400'],
  ] as const)('of type %s is read and written', (type, text) => {
    const data = parseData(type, text);
    expect(data).toBeDefined();
    expect(data && showData(data, type)).toBe(text);
  });

  it.each([
    ['A', '192.0.2'],
    ['AAAA', '192.0.2.1'],
    ['CNAME', 'a..example'],
    ['MX', 'mail.stocker.example'],
    ['SRV', '1 2 80800 east.stocker.example'],
    ['TXT', 'unquoted'],
    ['TXT', `"${'x'.repeat(256)}"`],
    ['SOA', 'ns.stocker.example. admin.stocker.example. 1 7200 900 1209600'],
  ] as const)('of type %s is refused where it is %s', (type, text) => {
    expect(parseData(type, text)).toBeUndefined();
  });
});

describe('names', () => {
  it('are canonical, escaped, and in the order of Route 53’s lists', () => {
    expect(canonicalName('\\052.Stocker.Example')).toBe('*.stocker.example.');
    expect(escapedName('*.a_b-c.example.')).toBe('\\052.a_b-c.example.');
    expect(['b.a.', 'a.b.', 'a.', 'z.b.a.'].sort(compareNames)).toEqual(['a.', 'b.a.', 'z.b.a.', 'a.b.']);
    expect(['a.example.', `${'x'.repeat(64)}.example.`, 'a..example.'].map(isDomainName)).toEqual([true, false, false]);
  });
});
