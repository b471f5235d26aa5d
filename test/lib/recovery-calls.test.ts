/** Which calls readiness simulates: those of the deployed policies, made concrete. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RecoveryCalls } from '../../core/readiness/calls.ts';
import { parsePolicy } from '../../local/authorization/policy.ts';
import { simulate } from '../../local/authorization/simulate.ts';
import { rawStatement, rolesOf } from './roles.ts';
import { assetsOf, resourcesOf, type Stack, stacks } from './stacks.ts';

const callsOf = (stack: Stack) =>
  RecoveryCalls.parse(
    JSON.parse(readFileSync(join(assetsOf(stack, 'Function/Code'), 'recovery-calls.json'), 'utf8')),
  ).filter(({ region }) => region === stack.region);

/** Denied calls, by function: simulated as IAM would, with the topics' key by its alias. */
function deniedIn(stack: Stack): string[] {
  const roles = new Map(rolesOf(stack).map((role) => [role.name, role]));
  const prefix = `stocker-dr-${stack.environment}-`;
  return callsOf(stack).flatMap(({ functionName, calls }) => {
    const path = functionName.slice(prefix.length).replace('-', '/');
    const alias = `arn:aws:kms:${stack.region}:${stack.configuration.account}:alias/stocker-dr-${stack.environment}`;
    const Statement = (roles.get(path)?.statements ?? []).map((statement) => ({
      ...statement,
      Resource: statement.Resource.map((each) => (/^\{.*Key.*\}$/.test(each) ? alias : each)),
    }));
    const policy = parsePolicy({ Version: '2012-10-17', Statement }, 'identity');
    return calls.flatMap(({ actions, resources, context }) => {
      const conditions = Object.fromEntries(context.map(({ key, values }) => [key, values]));
      return actions.flatMap((action) =>
        resources
          .filter((resource) => simulate([policy], action, resource, conditions).decision !== 'allowed')
          .map((resource) => `${path}: ${action} on ${resource}`),
      );
    });
  });
}

describe.each(stacks)('the calls that are simulated in $name', (stack) => {
  it('are of every function of a recovery, and of no other', () => {
    const deployed = resourcesOf(stack, 'AWS::Lambda::Function')
      .map(([, { Properties }]) => String(Properties.FunctionName))
      .filter((name) => !/-(backup|readiness)-/.test(name.replace(`stocker-dr-${stack.environment}`, '')));
    expect(
      callsOf(stack)
        .map(({ functionName }) => functionName)
        .toSorted(),
    ).toEqual(deployed.toSorted());
  });
  it('name no pattern, for a simulator is asked about things', () => {
    const open = callsOf(stack).flatMap(({ calls }) =>
      calls.flatMap(({ resources, context }) =>
        [...resources.filter((each) => each !== '*'), ...context.flatMap(({ values }) => values)].filter((each) =>
          /[*?]|\$\{/.test(each),
        ),
      ),
    );
    expect(open).toEqual([]);
  });
  it('are allowed by what is deployed', () => {
    expect(deniedIn(stack)).toEqual([]);
  });
  it('(control) are denied where a permission is missing', () => {
    const copy = structuredClone(stack);
    rawStatement(copy, 'database/restore-database', 'TagRestored').Condition = { StringEquals: { 'aws:x': 'y' } };
    const denied = deniedIn(copy);
    expect(denied.length).toBeGreaterThan(0);
    expect(denied.filter((each) => !each.startsWith('database/restore-database: rds:AddTagsToResource on '))).toEqual(
      [],
    );
  });
});
