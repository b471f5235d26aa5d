/** Where the authorizer finds policies: roles in IAM, resource policies in the service that the ARN names. */
import type { Conditions, PolicySources } from './authorization/authorize.ts';
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
  service: (name: ServiceName, region: string) => Service,
): PolicySources {
  const [anyRegion = 'us-east-1'] = regions;
  const roles = () => service('iam', anyRegion) as Roles;
  return {
    identityPolicies: (roleArn) => roles().policiesOf(roleArn),
    resourcePolicy(arn) {
      const [, , serviceName = '', region = ''] = arn.split(':');
      if (serviceName === 'iam') return roles().trustPolicyOf(arn);
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
