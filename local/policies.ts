/** Where the authorizer finds policies: roles in IAM, resource policies in the service that the ARN names. */

import { type Conditions, type PolicySources, placeOf } from './authorization/authorize.ts';
import type { Clock, PolicyDocument, Service, ServiceName } from './kernel.ts';

/** What the IAM service tells of a role. */
interface Roles extends Service {
  policiesOf(roleArn: string): readonly PolicyDocument[];
  trustPolicyOf(roleArn: string): PolicyDocument | undefined;
}

/** Services that have resource policies, by the name that ARNs use. */
const servicesByArn: Readonly<Record<string, ServiceName>> = {
  lambda: 'lambda',
  sns: 'sns',
  sqs: 'sqs',
  kms: 'kms',
  s3: 's3',
  secretsmanager: 'secrets-manager',
  events: 'eventbridge',
  logs: 'cloudwatch-logs',
};

export function policySources(
  clock: Clock,
  regions: readonly string[],
  service: (name: ServiceName, region: string, account?: string) => Service,
  accounts: readonly string[],
): PolicySources {
  const [anyRegion = 'us-east-1'] = regions;
  /** IAM of the account that a role's ARN names; undefined: this cloud has no such account. */
  const rolesOf = (arn: string) => {
    const { account = '' } = placeOf(arn);
    return accounts.includes(account) ? (service('iam', anyRegion, account) as Roles) : undefined;
  };
  return {
    identityPolicies: (roleArn) => rolesOf(roleArn)?.policiesOf(roleArn) ?? [],
    resourcePolicy(arn) {
      const { service: serviceName, region } = placeOf(arn);
      if (serviceName === 'iam') return rolesOf(arn)?.trustPolicyOf(arn);
      const name = servicesByArn[serviceName];
      if (name === undefined) return undefined;
      // A bucket's ARN names no Region: the one that has the bucket answers.
      for (const each of regions) {
        const policy = region === '' || each === region ? service(name, each).resourcePolicy?.(arn) : undefined;
        if (policy !== undefined) return policy;
      }
      return undefined;
    },
    globals(): Conditions {
      const now = clock.now();
      return {
        'aws:CurrentTime': new Date(now).toISOString(),
        'aws:EpochTime': String(Math.floor(now / 1000)),
        'aws:SourceIp': '127.0.0.1',
      };
    },
  };
}
