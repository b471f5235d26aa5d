/** How statements of a function's role are made: bound to names, with a reason for each wildcard. */
import * as iam from 'aws-cdk-lib/aws-iam';
import { namesOf } from '../../config/names.ts';
import type { Configuration } from '../../config/schema.ts';

/** A statement, and why its wildcard is as narrow as can be, where it has one. cdk-nag refuses a wildcard without a reason. */
export interface Permission {
  readonly statement: iam.PolicyStatement;
  readonly wildcard?: string;
}

/** The names and makers of one stack: `region` is where its functions run. */
export function statementsOf(configuration: Configuration, region: string) {
  const names = namesOf(configuration);
  const { account } = configuration;
  const isDr = region === configuration.dr.region;
  const network = isDr ? configuration.dr : configuration.primary;
  /** Where copies of backups go. */
  const other = isDr ? configuration.primary : configuration.dr;
  const arn = (service: string, resource: string, inRegion = region) =>
    `arn:aws:${service}:${inRegion}:${account}:${resource}`;
  const allow = (
    sid: string,
    actions: string[],
    resources: string[],
    more: { conditions?: Record<string, Record<string, unknown>>; wildcard?: string } = {},
  ): Permission => ({
    statement: new iam.PolicyStatement({
      sid,
      actions,
      resources,
      ...(more.conditions ? { conditions: more.conditions } : {}),
    }),
    ...(more.wildcard ? { wildcard: more.wildcard } : {}),
  });
  const leadingKey = (...keys: readonly string[]) => ({
    conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': keys } },
  });
  const reading = 'Reading only. The identifiers of restored instances and of snapshots are made at run time.';
  const prefixed = 'The name begins with this product’s own prefix; what follows is made at run time.';
  return { names, network, other, arn, allow, leadingKey, reading, prefixed };
}
