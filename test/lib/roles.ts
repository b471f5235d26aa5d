/** Who may do what in a stack: the roles of its functions with their synthesized policies. */
import { parsePolicy } from '../../local/authorization/policy.ts';
import { simulate } from '../../local/authorization/simulate.ts';
import type { PolicyDocument } from '../../local/kernel.ts';
import { type Properties, resourcesOf, type Stack, targetOf, textOf } from './stacks.ts';

export interface Statement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Properties;
}
export interface Role {
  readonly id: string;
  /** `database/restore-database` of a function's role; the description of any other. */
  readonly name: string;
  readonly statements: readonly Statement[];
}

const list = (value: unknown): readonly unknown[] => [value].flat();

/** Roles that the stack makes, with every statement of their inline policies. */
export function rolesOf(stack: Stack): readonly Role[] {
  const policies = resourcesOf(stack, 'AWS::IAM::Policy');
  return resourcesOf(stack, 'AWS::IAM::Role').map(([id, { Properties }]) => {
    const own = policies.filter(([, policy]) => policy.Properties.Roles.some((role: unknown) => targetOf(role) === id));
    const attached = own.flatMap(([, policy]) => policy.Properties.PolicyDocument.Statement as Properties[]);
    const statements = [...inlineOf(Properties), ...attached];
    return {
      id,
      name: String(Properties.Description ?? id).replace('Role of ', ''),
      statements: statements.map((statement) => ({
        ...(statement as Statement),
        Action: list(statement.Action) as string[],
        Resource: list(statement.Resource).map(textOf),
      })),
    };
  });
}

/** Statements within the role itself. */
const inlineOf = ({ Policies = [] }: Properties): Properties[] =>
  Policies.flatMap(({ PolicyDocument }: Properties) => PolicyDocument.Statement);

/** The role of a function, by the function's path. */
export function roleOf(stack: Stack, name: string): Role {
  const role = rolesOf(stack).find((each) => each.name === name);
  if (!role) throw new Error(`${stack.name} has no role of ${name}`);
  return role;
}

/** Paths of the functions whose role may do this, decided as the embedded cloud decides it. */
export function whoMay(
  stack: Stack,
  action: string,
  resource: string,
  conditions: Readonly<Record<string, string>> = {},
): readonly string[] {
  return rolesOf(stack)
    .filter(({ statements }) => simulate([documentOf(statements)], action, resource, conditions).decision === 'allowed')
    .map(({ name }) => name)
    .sort();
}

const documentOf = (statements: readonly Statement[]): PolicyDocument =>
  parsePolicy({ Version: '2012-10-17', Statement: statements.length > 0 ? statements : [none] }, 'identity');
const none = { Effect: 'Deny', Action: 'none:None', Resource: '*' };

/** The raw statement of a policy in the template, to break it. */
export function rawStatement(stack: Stack, name: string, sid: string): Properties {
  const { id } = roleOf(stack, name);
  const inline = inlineOf(stack.template.Resources[id]?.Properties ?? {}).find(({ Sid }) => Sid === sid);
  if (inline) return inline;
  for (const [, { Properties }] of resourcesOf(stack, 'AWS::IAM::Policy')) {
    if (!Properties.Roles.some((role: unknown) => targetOf(role) === id)) continue;
    const found = Properties.PolicyDocument.Statement.find((statement: Properties) => statement.Sid === sid);
    if (found) return found;
  }
  throw new Error(`${name} has no statement ${sid} in ${stack.name}`);
}
