/**
 * Whose calls CloudTrail delivers to EventBridge here, and in what shape each service writes them: management events that
 * change something. Reading is not delivered, as to rules in the state ENABLED; nor are data events, which no trail selects.
 */
import type { ServiceName } from '../kernel.ts';

export interface TrailedService {
  /** `<eventSource>.amazonaws.com` in the detail, `aws.<eventSource>` as the event's source. */
  readonly eventSource: string;
  /** How member names of the API appear: `DBInstanceIdentifier` as `dBInstanceIdentifier`, or as they are. */
  readonly names: 'first-letter-lowered' | 'as-they-are';
  /** Operations beside those whose names say it that change nothing, or are data events. */
  readonly untold?: RegExp;
  /** Names of events that differ from the operation's. */
  readonly events?: Readonly<Record<string, string>>;
  /** Members that appear under another name. */
  readonly members?: Readonly<Record<string, string>>;
  /** EC2 writes a list as `{ items: [] }`. */
  readonly wrapsLists?: boolean;
  /** RDS answers one structure (`DBInstance`), and CloudTrail shows what is in it. */
  readonly unwrapsAnswer?: boolean;
  /** What the event names as its resources, where it names any: only some services do. */
  readonly resource?: { readonly type: string; arnOf(names: ResourceNames): string | undefined };
}
export interface ResourceNames {
  readonly account: string;
  readonly region: string;
  // biome-ignore lint/suspicious/noExplicitAny: inputs of every operation pass here
  readonly input: any;
}

/** Getting, listing and describing; simulating and testing change nothing either. */
export const readOnly = /^(Get|List|Describe|Head|BatchGet|Simulate|Test)/;

const lowered = 'first-letter-lowered';

export const trailed: Partial<Readonly<Record<ServiceName, TrailedService>>> = {
  rds: { eventSource: 'rds', names: lowered, unwrapsAnswer: true },
  'route-53': { eventSource: 'route53', names: lowered },
  eks: { eventSource: 'eks', names: 'as-they-are' },
  iam: { eventSource: 'iam', names: lowered },
  ec2: {
    eventSource: 'ec2',
    names: lowered,
    wrapsLists: true,
    members: { Return: '_return', UserIdGroupPairs: 'groups', SecurityGroupRules: 'securityGroupRuleSet' },
  },
  // Since 2024 the ARN is `arn`, and no more `aRN`, in the events of every operation (User Guide, cloudtrail_log_entries).
  'secrets-manager': { eventSource: 'secretsmanager', names: lowered, members: { ARN: 'arn' } },
  kms: {
    eventSource: 'kms',
    names: lowered,
    // Cryptography is logged as read-only.
    untold: /^(Encrypt|Decrypt|ReEncrypt|GenerateDataKey|GenerateRandom|Sign|Verify)/,
    resource: {
      type: 'AWS::KMS::Key',
      arnOf({ account, region, input: { KeyId, TargetKeyId } }) {
        const key: string | undefined = KeyId ?? TargetKeyId;
        if (key === undefined || key.includes('alias/')) return undefined;
        return key.startsWith('arn:') ? key : `arn:aws:kms:${region}:${account}:key/${key}`;
      },
    },
  },
  s3: {
    eventSource: 's3',
    names: 'as-they-are',
    // Of an object: a data event.
    untold: /(Object|Objects|ObjectTagging|ObjectRetention|ObjectLegalHold|MultipartUpload|UploadPart\w*)$/,
    members: { Bucket: 'bucketName', Policy: 'bucketPolicy' },
    events: {
      PutBucketLifecycleConfiguration: 'PutBucketLifecycle',
      PutBucketNotificationConfiguration: 'PutBucketNotification',
      PutPublicAccessBlock: 'PutBucketPublicAccessBlock',
      DeletePublicAccessBlock: 'DeleteBucketPublicAccessBlock',
      PutObjectLockConfiguration: 'PutBucketObjectLockConfiguration',
    },
    resource: {
      type: 'AWS::S3::Bucket',
      arnOf: ({ input: { Bucket } }) => (Bucket === undefined ? undefined : `arn:aws:s3:::${Bucket}`),
    },
  },
};
