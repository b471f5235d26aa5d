/** AWS STS: who am I, and sessions of roles whose trust policies admit the caller. */
import type * as Sts from '@aws-sdk/client-sts';
import { callerArn } from '../../authorization/evaluate.ts';
import { AwsError, type Home, type Principal, type ServiceDefinition } from '../../kernel.ts';
import { operation } from '../declare.ts';
import type { IamService } from '../iam/index.ts';
import { entityId } from '../iam/roles.ts';

const MIN_SESSION_SECONDS = 900;
const DEFAULT_SESSION_SECONDS = 3600;

export const sts: ServiceDefinition = {
  name: 'sts',
  sdk: '@aws-sdk/client-sts',
  everywhere: true,
  create: (home) => ({
    operations: {
      GetCallerIdentity: operation<Sts.GetCallerIdentityRequest, Sts.GetCallerIdentityResponse>(
        [],
        // Needs no permission, and cannot be denied (API reference of GetCallerIdentity).
        () => [],
        (_input, { principal, account }) => ({
          UserId: userId(principal, account),
          Account: account,
          Arn: callerArn(principal, account),
        }),
      ),
      AssumeRole: operation<Sts.AssumeRoleRequest, Sts.AssumeRoleResponse>(
        ['RoleArn', 'RoleSessionName', 'DurationSeconds', 'ExternalId'],
        ({ RoleArn = '', RoleSessionName, ExternalId }) => ({
          action: 'sts:AssumeRole',
          resources: [RoleArn],
          conditions: { 'sts:RoleSessionName': RoleSessionName, 'sts:ExternalId': ExternalId },
        }),
        (input) => assumeRole(home, input),
      ),
    },
  }),
};

/** The caller is admitted: the role's trust policy was its resource policy. */
function assumeRole(home: Home, input: Sts.AssumeRoleRequest): Sts.AssumeRoleResponse {
  const { RoleArn = '', RoleSessionName = '', DurationSeconds = DEFAULT_SESSION_SECONDS } = input;
  if (!/^[\w+=,.@-]{2,64}$/.test(RoleSessionName))
    throw new AwsError('ValidationError', `roleSessionName '${RoleSessionName}' must satisfy [\\w+=,.@-]{2,64}`);
  const account = RoleArn.split(':')[4] ?? '';
  const iam = home.service('iam', home.region, account) as IamService;
  const longest = iam.maxSessionSecondsOf(RoleArn) ?? DEFAULT_SESSION_SECONDS;
  if (DurationSeconds < MIN_SESSION_SECONDS || DurationSeconds > longest)
    throw new AwsError(
      'ValidationError',
      `The requested DurationSeconds must be between ${MIN_SESSION_SECONDS} and the MaxSessionDuration set for this role, ${longest}.`,
    );
  const session: Principal = { kind: 'role', roleArn: RoleArn, sessionName: RoleSessionName };
  const { accessKeyId, secretAccessKey, sessionToken } = home.issueCredentials(session);
  return {
    Credentials: {
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      SessionToken: sessionToken,
      Expiration: new Date(home.clock.now() + DurationSeconds * 1000),
    },
    AssumedRoleUser: { AssumedRoleId: userId(session, account), Arn: callerArn(session, account) },
  };
}

/** `AROA…:<session>` of a role, the account of its root. */
function userId(principal: Principal, account: string): string {
  if (principal.kind !== 'role') return account;
  return `${entityId('AROA', principal.roleArn.split('/').at(-1) ?? '')}:${principal.sessionName}`;
}
