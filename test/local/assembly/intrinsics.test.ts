import { describe, expect, it } from 'vitest';
import { noValue, references, resolve, resolveOnce, type Scope } from '../../../local/assembly/intrinsics.ts';

const attributes: Record<string, unknown> = { 'Db.Endpoint.Address': 'db.local', 'Db.Port': 5432 };
const names: Record<string, unknown> = { 'AWS::Region': 'us-east-1', 'AWS::NoValue': noValue, Topic: 'arn:topic' };
const scope: Scope = {
  ref: (name) => names[name],
  attribute: (id, attribute) => attributes[`${id}.${attribute}`],
  condition: (name) => ({ Yes: true, No: false })[name],
  mapping: (map, key, second) => (map === 'Sizes' && key === 'us-east-1' && second === 'big' ? 'db.r6g' : undefined),
  exported: (name) => (name === 'shared' ? 'vpc-1' : undefined),
};

describe('resolve', () => {
  it.each([
    { case: 'Ref', value: { Ref: 'AWS::Region' }, is: 'us-east-1' },
    { case: 'GetAtt with a dotted attribute', value: { 'Fn::GetAtt': ['Db', 'Endpoint.Address'] }, is: 'db.local' },
    { case: 'GetAtt as text', value: { 'Fn::GetAtt': 'Db.Port' }, is: 5432 },
    { case: 'Sub', value: { 'Fn::Sub': '${AWS::Region}-${Db.Port}-${!Literal}' }, is: 'us-east-1-5432-${Literal}' },
    {
      case: 'Sub with variables',
      value: { 'Fn::Sub': ['${a}/${Topic}', { a: { Ref: 'AWS::Region' } }] },
      is: 'us-east-1/arn:topic',
    },
    { case: 'Join of a Ref', value: { 'Fn::Join': ['', ['a', { Ref: 'Topic' }]] }, is: 'aarn:topic' },
    { case: 'Select of Split', value: { 'Fn::Select': [1, { 'Fn::Split': [':', { Ref: 'Topic' }] }] }, is: 'topic' },
    { case: 'If that holds', value: { 'Fn::If': ['Yes', 1, { 'Fn::Nope': 1 }] }, is: 1 },
    { case: 'If that does not', value: { 'Fn::If': ['No', 1, 2] }, is: 2 },
    {
      case: 'And, Or, Not, Equals',
      value: {
        'Fn::And': [
          { Condition: 'Yes' },
          { 'Fn::Or': [{ Condition: 'No' }, { 'Fn::Not': [{ 'Fn::Equals': ['a', 'b'] }] }] },
        ],
      },
      is: true,
    },
    { case: 'FindInMap', value: { 'Fn::FindInMap': ['Sizes', { Ref: 'AWS::Region' }, 'big'] }, is: 'db.r6g' },
    { case: 'ImportValue', value: { 'Fn::ImportValue': 'shared' }, is: 'vpc-1' },
    { case: 'NoValue in an object', value: { a: 1, b: { Ref: 'AWS::NoValue' } }, is: { a: 1 } },
    { case: 'NoValue in a list', value: [1, { 'Fn::If': ['No', 2, { Ref: 'AWS::NoValue' }] }], is: [1] },
    {
      case: 'a policy condition, which is no function',
      value: { Condition: { Bool: { x: 'true' } } },
      is: { Condition: { Bool: { x: 'true' } } },
    },
  ])('resolves $case', ({ value, is }) => {
    expect(resolve(value, scope)).toEqual(is);
  });

  it.each([
    { case: 'an unknown name', value: { Ref: 'Nothing' }, error: /Ref Nothing is not known/ },
    { case: 'an unknown attribute', value: { 'Fn::GetAtt': ['Db', 'Arn'] }, error: /Fn::GetAtt Db.Arn/ },
    { case: 'an export that is not there', value: { 'Fn::ImportValue': 'other' }, error: /export other/ },
    { case: 'a function that is not supported', value: { 'Fn::Cidr': [] }, error: /Fn::Cidr is not supported/ },
    { case: 'a dynamic reference', value: '{{resolve:ssm:/a}}', error: /dynamic reference/ },
    { case: 'a Sub of a list', value: { 'Fn::Sub': ['${a}', { a: [1] }] }, error: /takes text/ },
  ])('refuses $case', ({ value, error }) => {
    expect(() => resolve(value, scope)).toThrow(error);
  });
});

describe('references', () => {
  it('finds names in Ref, GetAtt and Sub, however deep', () => {
    const value = {
      a: [{ Ref: 'A' }, { 'Fn::GetAtt': ['B', 'Arn'] }],
      c: { 'Fn::Sub': ['${C.Arn}${!D}', { e: { Ref: 'E' } }] },
    };
    expect([...references(value)].sort()).toEqual(['A', 'B', 'C', 'E']);
  });
});

describe('resolveOnce', () => {
  const value = { Name: 'orders', Topic: { Ref: 'Topic' }, Big: { 'Fn::If': ['Yes', [1], [2]] } };

  it('answers as resolve does, with what nobody can change', () => {
    const given = structuredClone(value);
    const result = resolveOnce(given, scope) as { Big: number[] };
    expect(result).toEqual(resolve(value, scope));
    expect(resolveOnce(given, { ...scope })).toBe(result);
    expect(() => result.Big.push(3)).toThrow(TypeError);
  });

  it.each([
    { case: 'a name', other: { ref: () => 'arn:another' }, is: { Name: 'orders', Topic: 'arn:another', Big: [1] } },
    { case: 'a condition', other: { condition: () => false }, is: { Name: 'orders', Topic: 'arn:topic', Big: [2] } },
  ])('answers anew where $case means something else', ({ other, is }) => {
    const given = structuredClone(value);
    resolveOnce(given, scope);
    expect(resolveOnce(given, { ...scope, ...other })).toEqual(is);
    expect(resolveOnce(given, scope)).toEqual(resolve(value, scope));
  });
});
