/** The operations of IAM that readers of roles and drills of missing permissions need. */
import type * as Iam from '@aws-sdk/client-iam';
import { parsePolicy } from '../../authorization/policy.ts';
import { type Simulation, simulate } from '../../authorization/simulate.ts';
import { type Access, AwsError, type Home, type Operation, type PolicyDocument } from '../../kernel.ts';
import { operation, page } from '../declare.ts';
import type { Role, Roles } from './roles.ts';

const PAGE = 100;
const DEFAULT_SESSION_SECONDS = 3600;

/** IAM answers policy documents URL-encoded. */
const encoded = (document: PolicyDocument) => encodeURIComponent(JSON.stringify(document));

export function iamOperations(home: Home, roles: Roles): Record<string, Operation> {
  /** A role that does not exist is still named in the check: IAM refuses before it looks. */
  const on =
    (action: string) =>
    ({ RoleName = '' }: { RoleName?: string | undefined }): Access => {
      const arn = roles.byName.get(RoleName)?.arn ?? `arn:aws:iam::${home.account}:role/${RoleName}`;
      return { action: `iam:${action}`, resources: [arn] };
    };
  return {
    CreateRole: operation<Iam.CreateRoleRequest, Iam.CreateRoleResponse>(
      ['RoleName', 'AssumeRolePolicyDocument', 'Path', 'Description', 'MaxSessionDuration', 'Tags'],
      ({ RoleName = '', Path = '/' }) => ({ action: 'iam:CreateRole', resources: [roles.arn('role', Path, RoleName)] }),
      ({ RoleName: name = '', Path: path = '/', Description: description, Tags = [], ...input }) => {
        const tags = Tags.map(({ Key = '', Value = '' }) => ({ Key, Value }));
        const maxSessionSeconds = input.MaxSessionDuration ?? DEFAULT_SESSION_SECONDS;
        const role = { name, path, description, maxSessionSeconds, tags, createdMs: home.clock.now() };
        return { Role: describe(roles.create(role, input.AssumeRolePolicyDocument)) };
      },
    ),
    GetRole: operation<Iam.GetRoleRequest, Iam.GetRoleResponse>(['RoleName'], on('GetRole'), ({ RoleName = '' }) => ({
      Role: describe(roles.get(RoleName)),
    })),
    ListRoles: operation<Iam.ListRolesRequest, Iam.ListRolesResponse>(
      ['PathPrefix', 'Marker', 'MaxItems'],
      () => ({ action: 'iam:ListRoles', resources: ['*'] }),
      ({ PathPrefix = '/', Marker, MaxItems = PAGE }) => {
        const found = [...roles.byName.values()].filter(({ path }) => path.startsWith(PathPrefix));
        const sorted = found.sort((a, b) => a.name.localeCompare(b.name)).map(describe);
        const { items, next } = page(sorted, Marker, MaxItems);
        return { Roles: items, ...marker(next) };
      },
    ),
    ListRolePolicies: operation<Iam.ListRolePoliciesRequest, Iam.ListRolePoliciesResponse>(
      ['RoleName', 'Marker', 'MaxItems'],
      on('ListRolePolicies'),
      ({ RoleName = '', Marker, MaxItems = PAGE }) => {
        const { items, next } = page([...roles.get(RoleName).inline.keys()].sort(), Marker, MaxItems);
        return { PolicyNames: items, ...marker(next) };
      },
    ),
    GetRolePolicy: operation<Iam.GetRolePolicyRequest, Iam.GetRolePolicyResponse>(
      ['RoleName', 'PolicyName'],
      on('GetRolePolicy'),
      ({ RoleName = '', PolicyName = '' }) => {
        const document = roles.get(RoleName).inline.get(PolicyName);
        if (!document) throw noSuchPolicy(PolicyName);
        return { RoleName, PolicyName, PolicyDocument: encoded(document) };
      },
    ),
    PutRolePolicy: operation<Iam.PutRolePolicyRequest>(
      ['RoleName', 'PolicyName', 'PolicyDocument'],
      on('PutRolePolicy'),
      ({ RoleName = '', PolicyName = '', PolicyDocument }) => {
        roles.putInline(roles.get(RoleName), PolicyName, PolicyDocument);
        return {};
      },
    ),
    DeleteRolePolicy: operation<Iam.DeleteRolePolicyRequest>(
      ['RoleName', 'PolicyName'],
      on('DeleteRolePolicy'),
      ({ RoleName = '', PolicyName = '' }) => {
        if (!roles.removeInline(roles.get(RoleName), PolicyName)) throw noSuchPolicy(PolicyName);
        return {};
      },
    ),
    SimulatePrincipalPolicy: simulatePrincipalPolicy(roles),
  };
}

function simulatePrincipalPolicy(roles: Roles): Operation {
  return operation<Iam.SimulatePrincipalPolicyRequest, Iam.SimulatePolicyResponse>(
    ['PolicySourceArn', 'ActionNames', 'ResourceArns', 'ContextEntries', 'PolicyInputList', 'Marker', 'MaxItems'],
    ({ PolicySourceArn = '' }) => ({ action: 'iam:SimulatePrincipalPolicy', resources: [PolicySourceArn] }),
    ({ PolicySourceArn = '', Marker, MaxItems = PAGE, ...input }) => {
      const role = roles.find(PolicySourceArn);
      if (!role) throw new AwsError('NoSuchEntity', `The role ${PolicySourceArn} cannot be found.`);
      const further = (input.PolicyInputList ?? []).map((document) => parsePolicy(document, 'identity'));
      const documents = [...roles.policiesOf(role), ...further];
      const conditions = Object.fromEntries(
        (input.ContextEntries ?? []).map(({ ContextKeyName = '', ContextKeyValues = [] }) => [
          ContextKeyName,
          ContextKeyValues,
        ]),
      );
      const results = (input.ActionNames ?? []).map((action) =>
        showSimulation(
          action,
          (input.ResourceArns ?? ['*']).map((resource) => ({
            resource,
            ...simulate(documents, action, resource, conditions),
          })),
        ),
      );
      const { items, next } = page(results, Marker, MaxItems);
      return { EvaluationResults: items, ...marker(next) };
    },
  );
}

/** One result an action, which names the first resource; those of resources that were named are within it. */
function showSimulation(
  action: string,
  simulations: readonly (Simulation & { readonly resource: string })[],
): Iam.EvaluationResult {
  const refused = simulations.find(({ decision }) => decision !== 'allowed');
  const named = simulations.filter(({ resource }) => resource !== '*');
  return {
    EvalActionName: action,
    EvalResourceName: simulations[0]?.resource,
    EvalDecision: refused?.decision ?? 'allowed',
    MatchedStatements: [],
    MissingContextValues: [...new Set(simulations.flatMap(({ missingContextValues }) => missingContextValues))],
    ...(named.length > 0 && {
      ResourceSpecificResults: named.map(({ resource, decision, missingContextValues }) => ({
        EvalResourceName: resource,
        EvalResourceDecision: decision,
        MatchedStatements: [],
        MissingContextValues: [...missingContextValues],
      })),
    }),
  };
}

const marker = (next: string | undefined) => (next ? { IsTruncated: true, Marker: next } : { IsTruncated: false });

function noSuchPolicy(name: string): AwsError {
  return new AwsError('NoSuchEntity', `The role policy with name ${name} cannot be found.`);
}

function describe(role: Role): Iam.Role {
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.id,
    Arn: role.arn,
    CreateDate: new Date(role.createdMs),
    AssumeRolePolicyDocument: encoded(role.trust),
    ...(role.description !== undefined && { Description: role.description }),
    MaxSessionDuration: role.maxSessionSeconds,
    Tags: [...role.tags],
  };
}
