/** A call that CloudTrail tells of, as the signal that triage judges: by whom, on what, and whether it did anything. Pure. */
import * as z from 'zod';
import { Moment } from '../incident/contracts.ts';
import type { ChangeSignal } from '../incident/triage.ts';
import { type Settings, secretNames } from '../settings.ts';
import { drillRecordOf } from './compare-zone.ts';
import { drillSecretOf } from './drill.ts';

/** What EventBridge delivers (CloudTrail: record contents), reduced to what is judged. */
export const ChangeEvent = z.object({
  'detail-type': z.literal('AWS API Call via CloudTrail'),
  time: Moment,
  detail: z.object({
    eventSource: z.string(),
    eventName: z.string(),
    errorCode: z.string().optional(),
    userIdentity: z
      .object({
        arn: z.string().optional(),
        sessionContext: z
          .object({ sessionIssuer: z.object({ userName: z.string().optional() }).optional() })
          .optional(),
      })
      .optional(),
    requestParameters: z.record(z.string(), z.unknown()).nullish(),
  }),
});
export type ChangeEvent = z.infer<typeof ChangeEvent>;

/** The calls that the rule lets through: service → what of it deletes or modifies what is protected. */
export const watchedCalls = {
  rds: ['DeleteDBInstance', 'ModifyDBInstance'],
  route53: ['ChangeResourceRecordSets', 'DeleteHostedZone'],
  eks: ['DeleteCluster', 'DeleteNodegroup', 'UpdateClusterConfig', 'DeleteAccessEntry'],
  s3: ['DeleteBucket', 'PutBucketPolicy', 'DeleteBucketPolicy', 'PutBucketVersioning', 'PutBucketPublicAccessBlock'],
  secretsmanager: ['DeleteSecret', 'PutResourcePolicy', 'DeleteResourcePolicy', 'RemoveRegionsFromReplication'],
  kms: ['ScheduleKeyDeletion', 'DisableKey'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** What is protected, by name; of keys, which have none, by ARN. */
export interface Protected {
  readonly settings: Settings;
  /** Undefined: they could not be listed, and any key may be one of them. */
  readonly keys: readonly string[] | undefined;
  /** The active database. */
  readonly active: string | undefined;
}

export function signalOf({ time, detail }: ChangeEvent, known: Protected): ChangeSignal {
  const { eventSource, eventName, errorCode, userIdentity } = detail;
  const subject = subjectOf(detail);
  const by = userIdentity?.arn ?? 'an identity that CloudTrail does not name';
  const name = `${eventName} of ${subject ?? eventSource} by ${by}`;
  const signal = {
    kind: 'change',
    name: name.slice(0, 300),
    at: time,
    isGlobal: eventSource === 'route53.amazonaws.com',
    gone: goneOf(eventName, subject, known),
  } as const;
  const issuer = userIdentity?.sessionContext?.sessionIssuer?.userName ?? '';
  const own = `StockerDr-${known.settings.environment}-`;
  if (issuer.startsWith(own)) return { ...signal, harmless: `it was made by this product’s own role ${issuer}` };
  if (errorCode !== undefined) return { ...signal, harmless: `the call failed (${errorCode}): nothing was changed` };
  if (!isProtected(detail, subject, known)) return { ...signal, harmless: `${subject ?? 'it'} is not protected` };
  return signal;
}

function goneOf(eventName: string, subject: string | undefined, { active, settings }: Protected): ChangeSignal['gone'] {
  const { primary, dr } = settings.cluster;
  const isCluster = subject === primary.cluster || subject === dr.cluster;
  if (isCluster && eventName === 'DeleteCluster') return 'cluster';
  if (isCluster && eventName === 'DeleteNodegroup') return 'nodes';
  return eventName === 'DeleteDBInstance' && subject !== undefined && subject === active ? 'database' : undefined;
}

/** CloudTrail writes parameters as each service spells them. */
function parameter({ requestParameters }: ChangeEvent['detail'], ...names: readonly string[]): string | undefined {
  const wanted = names.map((name) => name.toLowerCase());
  const found = Object.entries(requestParameters ?? {}).find(([key]) => wanted.includes(key.toLowerCase()));
  return typeof found?.[1] === 'string' ? found[1] : undefined;
}

const Batch = z.object({
  changes: z.array(z.object({ resourceRecordSet: z.object({ name: z.string() }) })),
});

/** Names of the records that a call changes. */
function recordNames({ requestParameters }: ChangeEvent['detail']): string[] {
  const batch = Batch.safeParse(requestParameters?.changeBatch);
  return batch.success
    ? batch.data.changes.map((each) => each.resourceRecordSet.name.replace(/\.$/, '').toLowerCase())
    : [];
}

function subjectOf(detail: ChangeEvent['detail']): string | undefined {
  const records = recordNames(detail);
  if (records.length > 0) return [...new Set(records)].join(', ');
  return parameter(
    detail,
    ...['dBInstanceIdentifier', 'bucketName', 'secretId', 'keyId', 'clusterName', 'name', 'hostedZoneId', 'id'],
  );
}

/** One whose subject is not told may be protected. */
function isProtected(
  detail: ChangeEvent['detail'],
  subject: string | undefined,
  { settings, keys }: Protected,
): boolean {
  if (subject === undefined) return true;
  const { database, cluster, traffic, primary, dr } = settings;
  switch (detail.eventSource.split('.')[0]) {
    case 'rds':
      return subject === database.identifier || subject.startsWith(`${database.identifier}-`);
    case 'route53':
      return isInZone(detail, traffic);
    case 'eks':
      return [cluster.primary.cluster, cluster.dr.cluster].includes(subject);
    case 's3':
      return [primary, dr].some((each) =>
        [each.evidenceBucket, each.dumpBucket, each.terraformStateBucket].includes(subject),
      );
    case 'secretsmanager':
      // By name, or by an ARN that ends in it and six characters.
      return subject !== drillSecretOf(settings) && secretNames(settings).some((each) => isSecret(each, subject));
    case 'kms':
      return keys === undefined || keys.some((arn) => arn === subject || arn.endsWith(`/${subject}`));
    default:
      return false;
  }
}

const isSecret = (name: string, subject: string): boolean =>
  subject === name || subject.replace(/-[A-Za-z0-9]{6}$/, '').endsWith(`:secret:${name}`);

/** The zone itself, or a name in it that no drill makes. */
function isInZone(detail: ChangeEvent['detail'], traffic: Settings['traffic']): boolean {
  const names = recordNames(detail);
  if (names.length === 0) return true;
  return names.some(
    (name) =>
      (name === traffic.hostedZoneName || name.endsWith(`.${traffic.hostedZoneName}`)) &&
      name !== drillRecordOf(traffic),
  );
}
