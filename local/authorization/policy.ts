/** Policy documents as they are written: JSON text or objects, one statement or many. */
import { AwsError, type PolicyDocument, type PolicyStatement } from '../kernel.ts';
import { rememberedOf } from '../remembered.ts';
import { parseOperator } from './conditions.ts';

const elements = ['Sid', 'Effect', 'Principal', 'Action', 'NotAction', 'Resource', 'NotResource', 'Condition'];

/** Where a policy stands decides which elements a statement must and must not have. */
export type PolicyKind = 'identity' | 'resource' | 'trust';

/**
 * A policy document in one form, checked: `Statement` is an array, `Version` kept. Throws AwsError
 * MalformedPolicyDocument for what IAM refuses, NotImplemented for what this evaluator does not know.
 */
export function parsePolicy(source: unknown, kind: PolicyKind): PolicyDocument {
  return typeof source === 'object' && source !== null ? parseObject[kind](source) : parseOnce(source, kind);
}

const objectsOf = (kind: PolicyKind) => rememberedOf((source: object) => parseOnce(source, kind));
const parseObject = { identity: objectsOf('identity'), resource: objectsOf('resource'), trust: objectsOf('trust') };

function parseOnce(source: unknown, kind: PolicyKind): PolicyDocument {
  const text = `${kind} ${typeof source === 'string' ? source : JSON.stringify(source)}`;
  let policy = parsed.get(text);
  if (policy === undefined) {
    policy = read(source, kind);
    if (parsed.size >= most) parsed.clear();
    parsed.set(text, policy);
  }
  return policy;
}

/** Every cloud of a process is given the same policies; what was found out about one (evaluate.ts) is kept with it. */
const parsed = new Map<string, PolicyDocument>();
const most = 5000;

function read(source: unknown, kind: PolicyKind): PolicyDocument {
  const document = (typeof source === 'string' ? parseJson(source) : source) as Partial<PolicyDocument> | null;
  if (typeof document !== 'object' || document === null || document.Statement === undefined)
    throw malformed('Syntax errors in policy: a policy is an object with Statement.');
  const { Version = '2008-10-17', Statement } = document;
  if (Version !== '2012-10-17' && Version !== '2008-10-17') throw malformed(`Unknown policy version ${Version}.`);
  // The older version, which is also the default, takes `${…}` literally.
  if (Version === '2008-10-17' && JSON.stringify(Statement).includes('${'))
    throw new AwsError('NotImplemented', 'a policy with variables must have Version 2012-10-17');
  const statements = [Statement].flat();
  for (const statement of statements) checkStatement(statement, kind);
  // Kept for others: whoever gave it may change its own.
  return structuredClone({ Version, Statement: statements });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw malformed(`The policy is not in the valid JSON format: ${(cause as Error).message}`);
  }
}

function checkStatement(statement: PolicyStatement, kind: PolicyKind): void {
  const unknown = Object.keys(statement).find((element) => !elements.includes(element));
  if (unknown === 'NotPrincipal') throw new AwsError('NotImplemented', 'NotPrincipal in a policy is not implemented');
  if (unknown !== undefined) throw malformed(`Unknown element ${unknown} in a statement.`);
  const { Effect, Principal, Action, NotAction, Resource, NotResource, Condition } = statement;
  if (Effect !== 'Allow' && Effect !== 'Deny') throw malformed(`Effect is ${Effect}, not Allow or Deny.`);
  if ((Action === undefined) === (NotAction === undefined))
    throw malformed('A statement needs Action or NotAction, not both.');
  if (kind === 'identity' && Principal !== undefined)
    throw malformed('Policy document should not specify a principal.');
  if (kind !== 'identity' && Principal === undefined) throw malformed('Missing required field Principal.');
  if (kind === 'identity' && Resource === undefined && NotResource === undefined)
    throw malformed('Policy statement must contain resources.');
  if (kind === 'trust' && (Resource ?? NotResource) !== undefined) throw malformed('Has prohibited field Resource.');
  for (const operator of Object.keys(Condition ?? {})) parseOperator(operator);
}

const malformed = (message: string) => new AwsError('MalformedPolicyDocument', message);
