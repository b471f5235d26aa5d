import { describe, expect, it } from 'vitest';
import { authorize } from '../../../local/authorization/authorize.ts';
import { parsePolicy } from '../../../local/authorization/policy.ts';
import { simulate } from '../../../local/authorization/simulate.ts';
import type { Access, PolicyDocument, PolicyStatement, Principal } from '../../../local/kernel.ts';

const account = '123456789012';
const roleArn = `arn:aws:iam::${account}:role/Restore`;
const root = `arn:aws:iam::${account}:root`;
const role: Principal = { kind: 'role', roleArn, sessionName: 'run' };
const operator: Principal = { kind: 'operator', arn: root, accessKeyId: 'AKIA' };
const db = `arn:aws:rds:us-east-1:${account}:db:dr-drill-1`;
const key = `arn:aws:kms:us-east-1:${account}:key/k`;
const queue = `arn:aws:sqs:us-east-1:${account}:q`;

const policy = (...Statement: PolicyStatement[]): PolicyDocument => ({ Version: '2012-10-17', Statement });
const allow = (Action: string, Resource = '*', more: Partial<PolicyStatement> = {}): PolicyStatement => ({
  Effect: 'Allow',
  Action,
  Resource,
  ...more,
});
const deny = (Action: string, Resource = '*', more: Partial<PolicyStatement> = {}): PolicyStatement => ({
  ...allow(Action, Resource, more),
  Effect: 'Deny',
});
const named = (Principal: PolicyStatement['Principal'], Action: string, more: Partial<PolicyStatement> = {}) =>
  allow(Action, '*', { Principal, ...more });

interface Situation {
  readonly principal?: Principal;
  readonly access: Access | readonly Access[];
  readonly identity?: readonly PolicyStatement[];
  readonly resource?: readonly PolicyStatement[];
}
/** `allowed`, or the refusal as `code: message`. */
function verdict({ principal = role, access, identity = [], resource }: Situation): string {
  try {
    authorize(
      principal,
      [access].flat(),
      {
        identityPolicies: (arn) => (arn === roleArn ? [policy(...identity)] : []),
        resourcePolicy: (arn) => (resource && arn !== '*' ? policy(...resource) : undefined),
        globals: () => ({ 'aws:PrincipalTag/team': 'dr' }),
      },
      { account, region: 'us-east-1', principal, requestId: 'r' },
    );
    return 'allowed';
  } catch (error) {
    return `${(error as { code?: string }).code}: ${(error as Error).message}`;
  }
}
const on = (action: string, resource: string, conditions: Access['conditions'] = {}): Access => ({
  action,
  resources: [resource],
  conditions,
});
const session = `User: arn:aws:sts::${account}:assumed-role/Restore/run is not authorized to perform:`;

describe('a role', () => {
  it.each<Situation & { case: string; expected: string }>([
    {
      case: 'is allowed by an identity policy',
      access: on('rds:DeleteDBInstance', db),
      identity: [allow('rds:Delete*')],
      expected: 'allowed',
    },
    {
      case: 'is denied without one',
      access: on('rds:DeleteDBInstance', db),
      identity: [allow('rds:Describe*')],
      expected: `AccessDenied: ${session} rds:DeleteDBInstance on resource: ${db} because no identity-based policy allows the rds:DeleteDBInstance action`,
    },
    {
      case: 'is denied by an explicit deny',
      access: on('rds:DeleteDBInstance', db),
      identity: [allow('*'), deny('rds:delete*', 'arn:aws:rds:*:*:db:dr-*')],
      expected: `AccessDenied: ${session} rds:DeleteDBInstance on resource: ${db} with an explicit deny in an identity-based policy`,
    },
    {
      case: 'needs every resource that the action presents',
      access: {
        action: 'rds:RestoreDBInstanceToPointInTime',
        resources: [db, `arn:aws:rds:us-east-1:${account}:subgrp:s`],
      },
      identity: [allow('rds:RestoreDBInstanceToPointInTime', 'arn:aws:rds:*:*:db:*')],
      expected: `AccessDenied: ${session} rds:RestoreDBInstanceToPointInTime on resource: arn:aws:rds:us-east-1:${account}:subgrp:s because no identity-based policy allows the rds:RestoreDBInstanceToPointInTime action`,
    },
    {
      case: 'needs every action of a call',
      access: [on('sns:Publish', 'arn:aws:sns:us-east-1:1:t'), on('kms:ListAliases', '*')],
      identity: [allow('sns:Publish')],
      expected: `AccessDeniedException: ${session} kms:ListAliases on resource: * because no identity-based policy allows the kms:ListAliases action`,
    },
    {
      case: 'is not allowed by NotAction of the action',
      access: on('rds:StartDBInstance', db),
      identity: [{ Effect: 'Allow', NotAction: 'rds:*', Resource: '*' }],
      expected: 'denied',
    },
    {
      case: 'is allowed by NotAction of another',
      access: on('rds:StartDBInstance', db),
      identity: [{ Effect: 'Allow', NotAction: 'iam:*', Resource: '*' }],
      expected: 'allowed',
    },
    {
      case: 'is not allowed by NotResource of the resource',
      access: on('rds:StartDBInstance', db),
      identity: [{ Effect: 'Allow', Action: '*', NotResource: db }],
      expected: 'denied',
    },
    {
      case: 'is allowed where its condition holds',
      access: on('rds:DeleteDBInstance', db, { 'aws:ResourceTag/team': 'dr' }),
      identity: [
        allow('rds:*', '*', { Condition: { StringEquals: { 'aws:ResourceTag/team': '${aws:PrincipalTag/team}' } } }),
      ],
      expected: 'allowed',
    },
    {
      case: 'is denied where the call presents no such key',
      access: on('rds:DeleteDBInstance', db),
      identity: [allow('rds:*', '*', { Condition: { StringEquals: { 'aws:ResourceTag/team': 'dr' } } })],
      expected: 'denied',
    },
    {
      case: 'is allowed by a resource policy that names it',
      access: on('sqs:SendMessage', queue),
      resource: [named({ AWS: roleArn }, 'sqs:*')],
      expected: 'allowed',
    },
    {
      case: 'is not allowed by a resource policy that names the account',
      access: on('sqs:SendMessage', queue),
      resource: [named({ AWS: root }, 'sqs:*')],
      expected: 'denied',
    },
    {
      case: 'is denied by a resource policy that denies everybody',
      access: on('sqs:SendMessage', queue),
      identity: [allow('*')],
      resource: [deny('sqs:*', '*', { Principal: '*' })],
      expected: `AccessDenied: ${session} sqs:SendMessage on resource: ${queue} with an explicit deny in a resource-based policy`,
    },
    {
      case: 'is spared by a deny of insecure transport',
      access: on('sqs:SendMessage', queue),
      identity: [allow('*')],
      resource: [deny('sqs:*', '*', { Principal: '*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } })],
      expected: 'allowed',
    },
    {
      case: 'uses a key that leaves it to the account',
      access: on('kms:Decrypt', key),
      identity: [allow('kms:Decrypt', key)],
      resource: [named({ AWS: root }, 'kms:*')],
      expected: 'allowed',
    },
    {
      case: 'needs its own permission for a key left to the account',
      access: on('kms:Decrypt', key),
      resource: [named({ AWS: root }, 'kms:*')],
      expected: 'denied',
    },
    {
      case: 'uses a key that names it',
      access: on('kms:Decrypt', key),
      resource: [named({ AWS: roleArn }, 'kms:Decrypt')],
      expected: 'allowed',
    },
    {
      case: 'is denied a key whose policy says nothing of it or the account',
      access: on('kms:Decrypt', key),
      identity: [allow('*')],
      resource: [named({ Service: 'sns.amazonaws.com' }, 'kms:*')],
      expected: `AccessDeniedException: ${session} kms:Decrypt on resource: ${key} because no resource-based policy allows the kms:Decrypt action`,
    },
    {
      case: 'is denied under EC2’s code',
      access: on('ec2:CreateSecurityGroup', '*'),
      expected: 'UnauthorizedOperation: You are not',
    },
    { case: 'is denied under SNS’s code', access: on('sns:Publish', '*'), expected: `AuthorizationError: ${session}` },
  ])('$case', ({ expected, ...situation }) => {
    const actual = verdict(situation);
    if (expected === 'denied') expect(actual).toMatch(/is not authorized to perform/);
    else expect(actual.slice(0, Math.max(expected.length, 7))).toBe(expected);
  });
});

describe('a service', () => {
  const rule = 'arn:aws:events:us-east-1:123456789012:rule/r';
  const events: Principal = { kind: 'service', service: 'events.amazonaws.com', sourceArn: rule };
  const invoke = on('lambda:InvokeFunction', 'arn:aws:lambda:us-east-1:1:function:f');
  const grant = (sourceArn: string) =>
    named({ Service: 'events.amazonaws.com' }, 'lambda:InvokeFunction', {
      Condition: { ArnLike: { 'aws:SourceArn': sourceArn } },
    });

  it('invokes a function whose policy admits it for that source', () => {
    expect(verdict({ principal: events, access: invoke, resource: [grant(rule)] })).toBe('allowed');
  });
  it.each([
    { case: 'for another source', resource: [grant(`${rule}-other`)] },
    { case: 'as another service', resource: [named({ Service: 'sns.amazonaws.com' }, '*')] },
    { case: 'as the account', resource: [named({ AWS: root }, '*')] },
    { case: 'without a policy', resource: undefined },
  ])('is denied where the policy admits it $case', ({ resource }) => {
    expect(verdict({ principal: events, access: invoke, resource })).toMatch(/because no resource-based policy allows/);
  });
});

describe('the operator', () => {
  it('may do everything that no resource policy denies', () => {
    expect(verdict({ principal: operator, access: on('rds:DeleteDBInstance', db) })).toBe('allowed');
    expect(
      verdict({
        principal: operator,
        access: on('sqs:SendMessage', queue),
        resource: [deny('*', '*', { Principal: '*' })],
      }),
    ).toMatch(/explicit deny/);
  });
});

describe('a policy document', () => {
  it.each([
    {
      case: 'an unknown operator',
      kind: 'identity',
      statement: allow('*', '*', { Condition: { StringSame: {} } }),
      message: /Invalid Condition type/,
    },
    {
      case: 'a principal in an identity policy',
      kind: 'identity',
      statement: named('*', '*'),
      message: /should not specify a principal/,
    },
    {
      case: 'no resource in an identity policy',
      kind: 'identity',
      statement: { Effect: 'Allow', Action: '*' },
      message: /must contain resources/,
    },
    {
      case: 'no principal in a trust policy',
      kind: 'trust',
      statement: { Effect: 'Allow', Action: '*' },
      message: /Missing required field Principal/,
    },
    {
      case: 'an unknown element',
      kind: 'identity',
      statement: { ...allow('*'), Actions: '*' },
      message: /Unknown element Actions/,
    },
    {
      case: 'NotPrincipal',
      kind: 'resource',
      statement: { ...deny('*'), NotPrincipal: '*' },
      message: /NotPrincipal in a policy is not implemented/,
    },
    {
      case: 'an unknown effect',
      kind: 'resource',
      statement: { ...named('*', '*'), Effect: 'allow' },
      message: /Effect is allow/,
    },
  ] as const)('is refused with $case', ({ kind, statement, message }) => {
    expect(() => parsePolicy({ Version: '2012-10-17', Statement: [statement] }, kind)).toThrow(message);
  });

  it('is read from JSON with a single statement', () => {
    expect(parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement: allow('a:b') }), 'identity')).toEqual(
      policy(allow('a:b')),
    );
  });
});

it('simulates, and names the condition keys it missed', () => {
  const documents = [
    policy(allow('rds:*', '*', { Condition: { StringEquals: { 'aws:ResourceTag/x': 'y' } } }), deny('rds:Stop*')),
  ];
  const run = (action: string, conditions = {}) => simulate(documents, action, db, conditions);
  expect(run('rds:StartDBInstance')).toEqual({ decision: 'implicitDeny', missingContextValues: ['aws:ResourceTag/x'] });
  expect(run('rds:StartDBInstance', { 'aws:resourcetag/x': 'y' })).toEqual({
    decision: 'allowed',
    missingContextValues: [],
  });
  expect(run('rds:StopDBInstance').decision).toBe('explicitDeny');
});
