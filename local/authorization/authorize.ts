/**
 * Decides a call as IAM does: an explicit deny anywhere refuses; otherwise an identity policy or the resource's policy must
 * allow, and where these are of two accounts, both (IAM User Guide: reference_policies_evaluation-logic).
 */
import { type Access, AwsError, type Call, type PolicyDocument, type Principal } from '../kernel.ts';
import { remembered } from '../remembered.ts';
import {
  callerArn,
  evaluateIdentity,
  evaluateResource,
  type Request,
  type ResourceVerdict,
  type Verdict,
} from './evaluate.ts';
import { type Context, contextOf } from './patterns.ts';

/** Condition keys with the values that a call presents. */
export type Conditions = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Where policies come from. */
export interface PolicySources {
  /** Inline and attached policies of a role. */
  identityPolicies(roleArn: string): readonly PolicyDocument[];
  /** The policy of a topic, queue, key, bucket, function, or the trust policy of a role. */
  resourcePolicy(arn: string): PolicyDocument | undefined;
  /** Global keys beyond the principal's own: `aws:CurrentTime`, `aws:PrincipalTag/…`, `aws:SourceIp`. */
  globals(call: Call): Conditions;
}

/** The account's administrator, which is who calls with a key that the cloud did not issue. */
const administrator: readonly PolicyDocument[] = [
  { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] },
];

/**
 * Returns if every access is allowed on every resource it presents; else throws AwsError in AWS's wording, under the
 * code that the service uses (AccessDenied, AccessDeniedException, UnauthorizedOperation, …).
 */
export function authorize(principal: Principal, accesses: readonly Access[], sources: PolicySources, call: Call): void {
  const caller: Call = call.principal === principal ? call : { ...call, principal };
  for (const access of accesses) {
    const { action, resources } = access;
    let context: Context | undefined;
    const lazily = () => {
      context ??= contextOfCall(caller, access.conditions ?? {}, sources);
      return context;
    };
    // No resource would mean no check: an operation without resource type presents `*`.
    for (const resource of resources.length === 0 ? ['*'] : resources) {
      const request = new PresentedRequest(action, resource, lazily);
      const reason = refusal(request, caller, sources);
      if (reason !== undefined) throw denied(request, caller, reason);
    }
  }
}

class PresentedRequest implements Request {
  readonly action: string;
  readonly resource: string;
  readonly #context: () => Context;
  constructor(action: string, resource: string, context: () => Context) {
    this.action = action;
    this.resource = resource;
    this.#context = context;
  }
  get context(): Context {
    return this.#context();
  }
}

/** Of whoever is no service of AWS. */
const unlessService = (call: Call, value: string): string | undefined =>
  call.principal.kind === 'service' ? undefined : value;

/** The keys that requests have by their callers, in lower case (IAM User Guide: reference_policies_condition-keys). */
const callersKeys: Readonly<Record<string, (call: Call) => string | undefined>> = {
  'aws:requestedregion': ({ region }) => region,
  'aws:securetransport': () => 'true',
  'aws:principalisawsservice': ({ principal }) => String(principal.kind === 'service'),
  'aws:viaawsservice': () => 'false',
  'aws:principalservicename': ({ principal }) => (principal.kind === 'service' ? principal.service : undefined),
  'aws:sourcearn': ({ principal }) => (principal.kind === 'service' ? principal.sourceArn : undefined),
  'aws:sourceaccount': ({ principal }) => (principal.kind === 'service' ? principal.sourceAccount : undefined),
  'aws:principalaccount': (call) => unlessService(call, call.account),
  // What a call acts on is its caller's account's, but for a role to assume, which decides by its own policy.
  'aws:resourceaccount': (call) => unlessService(call, call.account),
  'aws:principalarn': ({ principal }) =>
    principal.kind === 'service' ? undefined : principal.kind === 'role' ? principal.roleArn : principal.arn,
  'aws:principaltype': (call) => unlessService(call, call.principal.kind === 'role' ? 'AssumedRole' : 'Account'),
};

/** What conditions may ask for; most ask for one key. */
function contextOfCall(call: Call, presented: Conditions, sources: PolicySources): Context {
  const own = contextOf(presented);
  let globals: Context | undefined;
  return {
    get(name) {
      const found = own.get(name);
      if (found !== undefined) return found;
      const callers = Object.hasOwn(callersKeys, name) ? callersKeys[name]?.(call) : undefined;
      if (callers !== undefined) return [callers];
      globals ??= contextOf(sources.globals(call));
      return globals.get(name);
    },
  };
}

/** Why a request is refused, in AWS's words; undefined where it is allowed. */
function refusal(request: Request, call: Call, sources: PolicySources): string | undefined {
  const { principal } = call;
  const policy = sources.resourcePolicy(request.resource);
  const byResource: ResourceVerdict = policy ? evaluateResource(policy, request, call) : 'implicitDeny';
  const byIdentity = identityVerdict(principal, request, sources);
  if (byIdentity === 'explicitDeny') return 'with an explicit deny in an identity-based policy';
  if (byResource === 'explicitDeny') return 'with an explicit deny in a resource-based policy';
  const { account } = placeOf(request.resource);
  const isAnothers = account !== undefined && account !== call.account;
  if (isAnothers && principal.kind !== 'service' && byIdentity !== 'allowed') return because('identity-based', request);
  if (byResource === 'allowed') return undefined;
  if (isAnothers && byResource === 'implicitDeny')
    return because(request.action.startsWith('sts:') ? 'role trust' : 'resource-based', request);
  if (principal.kind === 'service') return because('resource-based', request);
  if (guardsItself(request) && byResource !== 'delegated')
    return because(request.action.startsWith('sts:') ? 'role trust' : 'resource-based', request);
  return byIdentity === 'allowed' ? undefined : because('identity-based', request);
}

/** What an ARN says of where its resource is; the account where it names one, and whether it is a key's. */
export const placeOf = remembered((arn: string) => {
  const [, , service = '', region = ''] = arn.split(':', 4);
  const account = /^(?:[^:]*:){4}(\d{12})(?::|$)/.exec(arn)?.[1];
  return { service, region, account, isKey: /^arn:[^:]*:kms:[^:]*:[^:]*:key\//.test(arn) };
});

function identityVerdict(principal: Principal, request: Request, sources: PolicySources): Verdict {
  if (principal.kind === 'service') return 'implicitDeny';
  const documents = principal.kind === 'role' ? sources.identityPolicies(principal.roleArn) : administrator;
  return evaluateIdentity(documents, request);
}

/** Keys and roles: no identity policy counts unless their own policy admits the caller or leaves it to the account. */
const guardsItself = ({ action, resource }: Request): boolean => placeOf(resource).isKey || assuming.has(action);
const assuming = new Set(['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity']);

const because = (kind: string, { action }: Request) => `because no ${kind} policy allows the ${action} action`;

/** Query protocols and S3 say AccessDenied, JSON services AccessDeniedException, two have words of their own. */
const codes: Readonly<Record<string, string>> = {
  ec2: 'UnauthorizedOperation',
  sns: 'AuthorizationError',
  ...Object.fromEntries(
    ['rds', 's3', 'sqs', 'iam', 'sts', 'cloudwatch', 'route53'].map((name) => [name, 'AccessDenied']),
  ),
};

/** The error code under which a service reports that an action is denied. */
export const denialCode = (action: string): string => codes[action.split(':')[0] ?? ''] ?? 'AccessDeniedException';

function denied({ action, resource }: Request, call: Call, reason: string): AwsError {
  const user = `User: ${callerArn(call.principal, call.account)}`;
  const code = denialCode(action);
  const lead = code === 'UnauthorizedOperation' ? 'You are not authorized to perform this operation. ' : '';
  return new AwsError(
    code,
    `${lead}${user} is not authorized to perform: ${action} on resource: ${resource} ${reason}`,
  );
}
