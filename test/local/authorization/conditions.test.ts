import { describe, expect, it } from 'vitest';
import { compileConditions } from '../../../local/authorization/conditions.ts';
import { contextOf, matchesArn } from '../../../local/authorization/patterns.ts';

const context = contextOf({
  'aws:PrincipalTag/team': 'dr',
  'aws:TagKeys': ['a', 'b'],
  'aws:SourceIp': '10.1.2.3',
  'aws:CurrentTime': '2026-11-22T20:00:00Z',
  's3:max-keys': '10',
  'aws:SecureTransport': 'true',
  'aws:SourceArn': 'arn:aws:sns:us-east-1:123456789012:topic',
  name: 'Stocker',
  star: '*',
});
const hold = (operator: string, key: string, value: unknown) =>
  compileConditions({ [operator]: { [key]: value } })(context);

describe('condition operators', () => {
  it.each([
    { operator: 'StringEquals', key: 'name', yes: 'Stocker', no: 'stocker' },
    { operator: 'StringEquals', key: 'NAME', yes: ['x', 'Stocker'], no: ['x', 'St*'] },
    { operator: 'StringNotEquals', key: 'name', yes: ['x', 'y'], no: ['x', 'Stocker'] },
    { operator: 'StringEqualsIgnoreCase', key: 'name', yes: 'sTOCKER', no: 'stock' },
    { operator: 'StringNotEqualsIgnoreCase', key: 'name', yes: 'stock', no: 'sTOCKER' },
    { operator: 'StringLike', key: 'name', yes: 'St?ck*', no: 'st*' },
    { operator: 'StringNotLike', key: 'name', yes: 'st*', no: 'St*' },
    { operator: 'StringEquals', key: 'aws:PrincipalTag/team', yes: '${aws:PrincipalTag/team}', no: '${aws:username}' },
    { operator: 'StringEquals', key: 'name', yes: "${aws:username, 'Stocker'}", no: "${aws:username, 'x'}" },
    { operator: 'StringLike', key: 'name', yes: '*', no: '${*}' },
    { operator: 'StringLike', key: 'star', yes: '${*}', no: '${?}' },
    { operator: 'ArnLike', key: 'aws:SourceArn', yes: 'arn:aws:sns:*:123456789012:*', no: 'arn:aws:sns:*:topic' },
    { operator: 'ArnNotEquals', key: 'aws:SourceArn', yes: 'arn:aws:sqs:*:*:*', no: 'arn:aws:sns:*:*:*' },
    { operator: 'NumericEquals', key: 's3:max-keys', yes: '10.0', no: 11 },
    { operator: 'NumericNotEquals', key: 's3:max-keys', yes: 11, no: 10 },
    { operator: 'NumericLessThan', key: 's3:max-keys', yes: 11, no: 10 },
    { operator: 'NumericLessThanEquals', key: 's3:max-keys', yes: 10, no: 9 },
    { operator: 'NumericGreaterThan', key: 's3:max-keys', yes: 9, no: 10 },
    { operator: 'NumericGreaterThanEquals', key: 's3:max-keys', yes: 10, no: 11 },
    { operator: 'DateEquals', key: 'aws:CurrentTime', yes: '2026-11-22T20:00:00.000Z', no: '2026-11-22T20:00:01Z' },
    { operator: 'DateLessThan', key: 'aws:CurrentTime', yes: '2026-11-23T00:00:00Z', no: '2026-11-22T20:00:00Z' },
    { operator: 'DateGreaterThan', key: 'aws:CurrentTime', yes: '1700000000', no: '2026-11-22T20:00:00Z' },
    { operator: 'Bool', key: 'aws:SecureTransport', yes: true, no: 'false' },
    { operator: 'IpAddress', key: 'aws:SourceIp', yes: ['192.168.0.0/16', '10.1.0.0/16'], no: '10.2.0.0/16' },
    { operator: 'NotIpAddress', key: 'aws:SourceIp', yes: '2001:db8::/32', no: '10.1.2.3' },
    { operator: 'Null', key: 'name', yes: 'false', no: true },
    { operator: 'Null', key: 'aws:username', yes: 'true', no: 'false' },
    { operator: 'ForAllValues:StringEquals', key: 'aws:TagKeys', yes: ['a', 'b', 'c'], no: ['a', 'c'] },
    { operator: 'ForAnyValue:StringEquals', key: 'aws:TagKeys', yes: ['b', 'c'], no: ['c'] },
    { operator: 'ForAllValues:StringNotEquals', key: 'aws:TagKeys', yes: ['c'], no: ['a', 'c'] },
    { operator: 'ForAnyValue:StringNotEquals', key: 'aws:TagKeys', yes: ['a'], no: ['a', 'b'] },
  ])('$operator of $key: $yes, not $no', ({ operator, key, yes, no }) => {
    expect([hold(operator, key, yes), hold(operator, key, no)]).toEqual([true, false]);
  });

  it.each([
    { operator: 'StringEquals', absent: false },
    { operator: 'StringNotEquals', absent: true },
    { operator: 'StringEqualsIfExists', absent: true },
    { operator: 'StringNotEqualsIfExists', absent: true },
    { operator: 'ArnLike', absent: false },
    { operator: 'ArnNotLike', absent: true },
    { operator: 'Bool', absent: false },
    { operator: 'BoolIfExists', absent: true },
    { operator: 'NumericLessThan', absent: false },
    { operator: 'NotIpAddress', absent: true },
    { operator: 'ForAllValues:StringEquals', absent: true },
    { operator: 'ForAnyValue:StringEquals', absent: false },
    { operator: 'ForAnyValue:StringNotEquals', absent: false },
  ])('$operator of a key that the call does not present is $absent', ({ operator, absent }) => {
    expect(hold(operator, 'aws:username', 'x')).toBe(absent);
  });

  it('needs every operator and key of a block', () => {
    const condition = (team: string) => ({ StringEquals: { name: 'Stocker', 'aws:PrincipalTag/team': team } });
    expect(compileConditions(condition('dr'))(context)).toBe(true);
    expect(compileConditions(condition('x'))(context)).toBe(false);
  });

  it.each(['StringMatches', 'ForSomeValues:StringEquals', 'NullIfExists', 'toString'])('refuses %s', (operator) => {
    expect(() => hold(operator, 'name', 'x')).toThrow(`Invalid Condition type : ${operator}.`);
  });
});

describe('ARN patterns', () => {
  it.each([
    { pattern: '*', arn: 'arn:aws:rds:us-east-1:1:db:a', matches: true },
    { pattern: 'arn:aws:rds:*:1:db:dr-drill-*', arn: 'arn:aws:rds:us-east-1:1:db:dr-drill-x', matches: true },
    { pattern: 'arn:aws:rds:*:1:db:dr-drill-*', arn: 'arn:aws:rds:us-east-1:1:db:prod', matches: false },
    { pattern: 'arn:aws:rds:*:db:x', arn: 'arn:aws:rds:us-east-1:1:db:x', matches: false },
    { pattern: 'arn:aws:s3:::b/*', arn: 'arn:aws:s3:::b/a/b:c', matches: true },
    { pattern: 'arn:aws:s3:::b/${aws:PrincipalTag/team}/*', arn: 'arn:aws:s3:::b/dr/x', matches: true },
    { pattern: 'arn:aws:s3:::b/${star}/x', arn: 'arn:aws:s3:::b/dr/x', matches: false },
    { pattern: 'arn:aws:s3:::b/${aws:username}', arn: 'arn:aws:s3:::b/', matches: false },
  ])('$pattern on $arn: $matches', ({ pattern, arn, matches }) => {
    expect(matchesArn(pattern, arn, context)).toBe(matches);
  });
});
