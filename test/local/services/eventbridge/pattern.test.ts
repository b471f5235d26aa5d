import { expect, test } from 'vitest';
import { parsePattern } from '../../../../local/services/eventbridge/pattern.ts';

const event = {
  source: 'aws.rds',
  region: 'us-east-1',
  resources: ['arn:aws:rds:us-east-1:1:db:a', 'arn:aws:rds:us-east-1:1:db:b'],
  detail: {
    EventID: 'RDS-EVENT-0031',
    Count: 5,
    Nothing: null,
    Empty: '',
    Flag: true,
    Address: '10.0.0.17',
    Address6: 'fd00::1',
    Path: 'dir/file.png',
    List: [
      { name: 'a', size: 1 },
      { name: 'b', size: 2 },
    ],
  },
};

const detail = (field: string, ...matchers: unknown[]) => ({ detail: { [field]: matchers } });

test.for<[string, object, boolean]>([
  ['an exact string', { source: ['aws.rds'] }, true],
  ['another string', { source: ['aws.ec2'] }, false],
  ['one of several', { source: ['aws.ec2', 'aws.rds'] }, true],
  ['every field', { source: ['aws.rds'], region: ['us-west-2'] }, false],
  ['one element of an array', { resources: ['arn:aws:rds:us-east-1:1:db:b'] }, true],
  ['a number', detail('Count', 5), true],
  ['a number as a string', detail('Count', '5'), false],
  ['null', detail('Nothing', null), true],
  ['an empty string', detail('Empty', ''), true],
  ['a boolean', detail('Flag', true), true],
  ['a prefix', { region: [{ prefix: 'us-' }] }, true],
  ['a prefix, case ignored', { region: [{ prefix: { 'equals-ignore-case': 'US-' } }] }, true],
  ['a suffix', detail('EventID', { suffix: '0031' }), true],
  ['a suffix that is not there', detail('EventID', { suffix: '0032' }), false],
  ['a suffix, case ignored', detail('Path', { suffix: { 'equals-ignore-case': '.PNG' } }), true],
  ['equality, case ignored', detail('EventID', { 'equals-ignore-case': 'rds-event-0031' }), true],
  ['anything but it', detail('EventID', { 'anything-but': 'RDS-EVENT-0031' }), false],
  ['anything but a list', detail('Count', { 'anything-but': [4, 6] }), true],
  ['anything but a prefix', detail('EventID', { 'anything-but': { prefix: 'RDS-' } }), false],
  ['anything but a suffix', detail('EventID', { 'anything-but': { suffix: ['1', '2'] } }), false],
  ['anything but a wildcard', detail('Path', { 'anything-but': { wildcard: '*/lib/*' } }), true],
  ['anything but, case ignored', detail('Path', { 'anything-but': { 'equals-ignore-case': ['DIR/FILE.PNG'] } }), false],
  ['anything but, where the field is absent', detail('Absent', { 'anything-but': 'x' }), false],
  ['a number equal', detail('Count', { numeric: ['=', 5] }), true],
  ['a number in a range', detail('Count', { numeric: ['>', 0, '<=', 5] }), true],
  ['a number outside a range', detail('Count', { numeric: ['>', 5, '<', 9] }), false],
  ['existence', detail('Count', { exists: true }), true],
  ['existence of what is null', detail('Nothing', { exists: true }), true],
  ['absence', detail('Absent', { exists: false }), true],
  ['absence of what exists', detail('Count', { exists: false }), false],
  ['absence below an absent object', { absent: { deeper: [{ exists: false }] } }, true],
  ['a wildcard', detail('Path', { wildcard: 'dir/*.png' }), true],
  ['a wildcard that fails', detail('Path', { wildcard: 'dir/*.jpg' }), false],
  ['a literal star', detail('Path', { wildcard: 'dir/\\*.png' }), false],
  ['a block of addresses', detail('Address', { cidr: '10.0.0.0/24' }), true],
  ['another block of addresses', detail('Address', { cidr: '10.0.1.0/24' }), false],
  ['a block of IPv6 addresses', detail('Address6', { cidr: 'fd00::/8' }), true],
  ['either alternative', { $or: [{ region: ['x'] }, { detail: { Count: [5] } }] }, true],
  ['neither alternative', { $or: [{ region: ['x'] }, { detail: { Count: [6] } }] }, false],
  ['nested alternatives', { detail: { $or: [{ Count: [6] }, { Flag: [true] }] } }, true],
  ['one object of an array', { detail: { List: { name: ['b'], size: [2] } } }, true],
  ['a mix of two objects of an array', { detail: { List: { name: ['a'], size: [2] } } }, false],
])('%s', ([, pattern, verdict]) => {
  expect(parsePattern(JSON.stringify(pattern))(event)).toBe(verdict);
});

test.for<[string, string]>([
  ['an unknown matcher', '{"source":[{"begins-with":"a"}]}'],
  ['a leaf that is no array', '{"source":"aws.rds"}'],
  ['an empty array', '{"source":[]}'],
  ['an empty object', '{}'],
  ['two matchers in one', '{"source":[{"prefix":"a","suffix":"b"}]}'],
  ['an unknown comparison', '{"n":[{"numeric":["~",1]}]}'],
  ['a malformed block', '{"a":[{"cidr":"10.0.0.0"}]}'],
  ['consecutive stars', '{"a":[{"wildcard":"a**"}]}'],
  ['an unknown anything-but', '{"a":[{"anything-but":{"numeric":["=",1]}}]}'],
  ['no JSON', '{'],
])('refuses %s', ([, pattern]) => {
  expect(() => parsePattern(pattern)).toThrow(expect.objectContaining({ code: 'InvalidEventPatternException' }));
});
