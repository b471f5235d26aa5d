/** Whether statements apply to a request: the one place that reads Action, Resource, Principal and Condition. */
import type { Call, PolicyDocument, PolicyStatement, Principal } from '../kernel.ts';
import { compileConditions } from './conditions.ts';
import { type Context, matchesArn, matchesText, noContext } from './patterns.ts';

/** One action on one resource. */
export interface Request {
  readonly action: string;
  /** An ARN, or `*`. */
  readonly resource: string;
  /** Made when a statement first asks for it: most have neither conditions nor variables. */
  readonly context: Context;
}
export type Verdict = 'allowed' | 'explicitDeny' | 'implicitDeny';
/** How a resource policy admits a caller: by name, or by leaving it to the account's identity policies. */
export type ResourceVerdict = 'allowed' | 'delegated' | 'explicitDeny' | 'implicitDeny';

const list = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : [value].flat();

/** A statement with what follows from its text alone. */
interface Compiled {
  readonly statement: PolicyStatement;
  /** Whether what it is about depends on the request's variables. */
  readonly varies: boolean;
  /** Absent where it has no conditions. */
  readonly holds: ((context: Context) => boolean) | undefined;
}

const compiled = new WeakMap<PolicyStatement, Compiled>();

function compile(statement: PolicyStatement): Compiled {
  const known = compiled.get(statement);
  if (known !== undefined) return known;
  const { Action, NotAction, Resource, NotResource, Condition } = statement;
  const varies = JSON.stringify([Action, NotAction, Resource, NotResource]).includes('${');
  const made = { statement, varies, holds: Condition && compileConditions(Condition) };
  compiled.set(statement, made);
  return made;
}

function applies({ statement, varies, holds }: Compiled, request: Request): boolean {
  if (varies && !matchesRequest(statement, request, request.context)) return false;
  return holds === undefined || holds(request.context);
}

/** What statements say of one action. */
interface Concern {
  readonly statements: readonly Compiled[];
  readonly byResource: Map<string, readonly Compiled[]>;
}

/** So many resources are kept for an action. */
const mostResources = 100;

/** By the list that they are in, which nobody changes in place: the same few calls are judged again and again. */
const concerns = new WeakMap<object, Map<string, Concern>>();

/** Those that are about this action on this resource, whatever their conditions say, and those with variables. */
function concerning(
  list: object,
  statementsOf: () => readonly PolicyStatement[],
  { action, resource }: Request,
): readonly Compiled[] {
  let byAction = concerns.get(list);
  if (byAction === undefined) {
    byAction = new Map();
    concerns.set(list, byAction);
  }
  let concern = byAction.get(action);
  if (concern === undefined) {
    const statements = statementsOf()
      .map(compile)
      .filter(({ varies, statement }) => varies || matchesAction(statement, action, noContext));
    concern = { statements, byResource: new Map() };
    byAction.set(action, concern);
  }
  let found = concern.byResource.get(resource);
  if (found === undefined) {
    found = concern.statements.filter(
      ({ varies, statement }) => varies || matchesResource(statement, resource, noContext),
    );
    // Streams of logs and executions have names of their own.
    if (concern.byResource.size >= mostResources) concern.byResource.clear();
    concern.byResource.set(resource, found);
  }
  return found;
}

const matchesRequest = (statement: PolicyStatement, { action, resource }: Request, context: Context): boolean =>
  matchesAction(statement, action, context) && matchesResource(statement, resource, context);

function matchesAction({ Action, NotAction }: PolicyStatement, action: string, context: Context): boolean {
  const names = (actions: typeof Action) => list(actions).some((name) => matchesText(name, action, context, 'i'));
  return NotAction === undefined ? names(Action) : !names(NotAction);
}

function matchesResource({ Resource, NotResource }: PolicyStatement, resource: string, context: Context): boolean {
  const covers = (resources: typeof Resource) => list(resources).some((arn) => matchesArn(arn, resource, context));
  return NotResource !== undefined ? !covers(NotResource) : Resource === undefined || covers(Resource);
}

/** What identity policies say: an explicit deny wins over every allow. */
export function evaluateIdentity(documents: readonly PolicyDocument[], request: Request): Verdict {
  let verdict: Verdict = 'implicitDeny';
  for (const each of concerning(documents, () => documents.flatMap(({ Statement }) => Statement), request)) {
    const { Effect } = each.statement;
    if (verdict === 'allowed' && Effect === 'Allow') continue;
    if (!applies(each, request)) continue;
    if (Effect === 'Deny') return 'explicitDeny';
    verdict = 'allowed';
  }
  return verdict;
}

/** What a resource policy says to this caller. */
export function evaluateResource(document: PolicyDocument, request: Request, call: Call): ResourceVerdict {
  let verdict: ResourceVerdict = 'implicitDeny';
  for (const each of concerning(document.Statement, () => document.Statement, request)) {
    const { Principal, Effect } = each.statement;
    const match = matchPrincipal(Principal, call);
    if (match === undefined || !applies(each, request)) continue;
    if (Effect === 'Deny') return 'explicitDeny';
    if (match === 'named') verdict = 'allowed';
    else if (verdict === 'implicitDeny') verdict = 'delegated';
  }
  return verdict;
}

/** An account as principal admits whom its own identity policies admit; everybody else is named. */
function matchPrincipal(principal: PolicyStatement['Principal'], call: Call): 'named' | 'account' | undefined {
  if (principal === undefined) return undefined;
  if (principal === '*') return 'named';
  const aws = list(principal.AWS);
  if (aws.includes('*')) return 'named';
  const caller = call.principal;
  if (caller.kind === 'service') return list(principal.Service).includes(caller.service) ? 'named' : undefined;
  if (aws.some((arn) => arnsOf(caller, call.account).includes(arn))) return 'named';
  const accounts = [call.account, `arn:aws:iam::${call.account}:root`];
  return aws.some((arn) => accounts.includes(arn)) ? 'account' : undefined;
}

/** The ARNs under which a policy may name a caller. */
function arnsOf(caller: Exclude<Principal, { kind: 'service' }>, account: string): readonly string[] {
  if (caller.kind === 'role') return [caller.roleArn, callerArn(caller, account)];
  return caller.arn.endsWith(':root') ? [] : [caller.arn];
}

/** The account that a caller is of; a service is of none. */
export function accountOf(caller: Principal): string | undefined {
  if (caller.kind === 'service') return undefined;
  return (caller.kind === 'role' ? caller.roleArn : caller.arn).split(':')[4];
}

/** The ARN that AWS shows for a caller: `arn:aws:sts::…:assumed-role/<role>/<session>` for a role. */
export function callerArn(caller: Principal, account: string): string {
  if (caller.kind === 'operator') return caller.arn;
  if (caller.kind === 'service') return caller.service;
  return `arn:aws:sts::${account}:assumed-role/${caller.roleArn.split('/').at(-1)}/${caller.sessionName}`;
}
