/** AWS IAM: the roles and policies of the templates, which the authorizer reads. */
import { createHash } from 'node:crypto';
import type { PolicyDocument, ResourceContext, Service, ServiceDefinition } from '../../kernel.ts';
import { notImplemented, provider } from '../declare.ts';
import { iamOperations } from './operations.ts';
import { entityId, Roles } from './roles.ts';

/** What the authorizer asks of IAM. Reached by `home.service('iam')`. */
export interface IamService extends Service {
  /** Inline and attached policies; none for a role that does not exist. */
  policiesOf(roleArn: string): readonly PolicyDocument[];
  trustPolicyOf(roleArn: string): PolicyDocument | undefined;
  /** The longest session, in seconds; undefined for a role that does not exist. */
  maxSessionSecondsOf(roleArn: string): number | undefined;
}

interface InlinePolicy {
  PolicyName: string;
  PolicyDocument: unknown;
}
interface RoleProperties {
  RoleName?: string;
  Path?: string;
  Description?: string;
  AssumeRolePolicyDocument: unknown;
  Policies?: readonly InlinePolicy[];
  ManagedPolicyArns?: readonly string[];
  MaxSessionDuration?: number | string;
  Tags?: readonly { Key: string; Value: string }[];
}
interface PolicyProperties extends InlinePolicy {
  Roles?: readonly string[];
  Users?: readonly string[];
  Groups?: readonly string[];
}
interface ManagedPolicyProperties extends Omit<PolicyProperties, 'PolicyName'> {
  ManagedPolicyName?: string;
  Path?: string;
  Description?: string;
}

const DEFAULT_SESSION_SECONDS = 3600;

export const iam: ServiceDefinition = {
  name: 'iam',
  sdk: '@aws-sdk/client-iam',
  everywhere: true,
  global: true,
  controlPlane: 'us-east-1',
  create(home): IamService {
    const roles = new Roles(home.account);
    const trustPolicyOf = (arn: string) => roles.find(arn)?.trust;
    return {
      operations: iamOperations(home, roles),
      resources: {
        ...roleProvider(roles, () => home.clock.now()),
        ...policyProvider(roles),
        ...managedPolicyProvider(roles),
      },
      policiesOf: (arn) => roles.policiesOf(roles.find(arn)),
      trustPolicyOf,
      resourcePolicy: trustPolicyOf,
      maxSessionSecondsOf: (arn) => roles.find(arn)?.maxSessionSeconds,
    };
  },
};

function roleProvider(roles: Roles, now: () => number) {
  return provider<RoleProperties>(
    'AWS::IAM::Role',
    [
      ...(['RoleName', 'Path', 'Description', 'AssumeRolePolicyDocument', 'Policies'] as const),
      ...(['ManagedPolicyArns', 'MaxSessionDuration', 'Tags'] as const),
    ],
    (properties, context) => {
      const { RoleName, Path = '/', Description, AssumeRolePolicyDocument, Policies = [], Tags = [] } = properties;
      const role = roles.create(
        {
          name: RoleName ?? generatedName(context),
          path: Path,
          description: Description,
          maxSessionSeconds: Number(properties.MaxSessionDuration ?? DEFAULT_SESSION_SECONDS),
          tags: Tags,
          createdMs: now(),
        },
        AssumeRolePolicyDocument,
      );
      for (const { PolicyName, PolicyDocument } of Policies) roles.putInline(role, PolicyName, PolicyDocument);
      for (const arn of properties.ManagedPolicyArns ?? []) roles.attach(role, arn);
      return { ref: role.name, attributes: { Arn: role.arn, RoleId: role.id } };
    },
  );
}

function policyProvider(roles: Roles) {
  return provider<PolicyProperties>(
    'AWS::IAM::Policy',
    ['PolicyName', 'PolicyDocument', 'Roles', 'Users', 'Groups'],
    ({ PolicyName, PolicyDocument, ...holders }, context) => {
      for (const name of rolesOf(holders, context)) roles.putInline(roles.get(name), PolicyName, PolicyDocument);
      return { ref: PolicyName, attributes: { Id: PolicyName } };
    },
  );
}

function managedPolicyProvider(roles: Roles) {
  return provider<ManagedPolicyProperties>(
    'AWS::IAM::ManagedPolicy',
    ['ManagedPolicyName', 'Path', 'Description', 'PolicyDocument', 'Roles', 'Users', 'Groups'],
    ({ ManagedPolicyName, Path = '/', PolicyDocument, ...holders }, context) => {
      const name = ManagedPolicyName ?? generatedName(context);
      const arn = roles.arn('policy', Path, name);
      roles.addManaged(arn, PolicyDocument);
      for (const role of rolesOf(holders, context)) roles.attach(roles.get(role), arn);
      return { ref: arn, attributes: { PolicyArn: arn, PolicyId: entityId('ANPA', name) } };
    },
  );
}

/** The cloud keeps no users and no groups. */
function rolesOf({ Roles, Users, Groups }: Partial<PolicyProperties>, { logicalId }: ResourceContext) {
  if (Users?.length || Groups?.length) throw notImplemented(`${logicalId}: a policy of users or groups`);
  return Roles ?? [];
}

/** `<stack>-<logical id>-<12 characters>`, 64 at most, as CloudFormation names them; stable from run to run. */
function generatedName({ stackName, logicalId, region }: ResourceContext): string {
  const unique = createHash('sha256').update(`${region}/${stackName}/${logicalId}`).digest('hex').slice(0, 12);
  return `${stackName.slice(0, 24)}-${logicalId.slice(0, 24)}-${unique}`;
}
