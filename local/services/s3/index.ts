/** Amazon S3: versioned buckets with object lock, encryption, policies. The wire is HTTP on loopback and counts as secure transport. */
import { randomInt } from 'node:crypto';
import { AwsError, type PolicyDocument, type ResourceContext, type ServiceDefinition } from '../../kernel.ts';
import { isTrue, provider, refuseUnknown } from '../declare.ts';
import { type Bucket, Buckets, type Retention, type S3Service } from './buckets.ts';
import { listOperations } from './listing.ts';
import { multipartOperations } from './multipart.ts';
import { objectOperations } from './objects.ts';
import { deleteOperations, retentionOperations } from './removal.ts';
import { bucketOperations } from './settings.ts';

interface EncryptionRule {
  ServerSideEncryptionByDefault?: { SSEAlgorithm: string; KMSMasterKeyID?: string };
  BucketKeyEnabled?: boolean | string;
}
interface BucketProperties {
  BucketName?: string;
  VersioningConfiguration?: { Status: 'Enabled' | 'Suspended' };
  ObjectLockEnabled?: boolean | string;
  ObjectLockConfiguration?: {
    ObjectLockEnabled?: string;
    Rule?: { DefaultRetention?: { Mode: Retention['mode']; Days?: number; Years?: number } };
  };
  BucketEncryption?: { ServerSideEncryptionConfiguration: EncryptionRule[] };
  PublicAccessBlockConfiguration?: object;
  LifecycleConfiguration?: object;
  LoggingConfiguration?: object;
  OwnershipControls?: { Rules: { ObjectOwnership: string }[] };
  NotificationConfiguration?: { EventBridgeConfiguration?: { EventBridgeEnabled?: boolean | string } };
  Tags?: { Key: string; Value: string }[];
}

export const s3: ServiceDefinition = {
  name: 's3',
  sdk: '@aws-sdk/client-s3',
  everywhere: true,
  create(home): S3Service {
    const buckets = new Buckets(home);
    return {
      buckets,
      operations: {
        ...bucketOperations(home, buckets),
        ...objectOperations(home, buckets),
        ...deleteOperations(buckets),
        ...retentionOperations(buckets),
        ...listOperations(buckets),
        ...multipartOperations(home, buckets),
      },
      resourcePolicy: (arn) => buckets.all.get(/^arn:aws:s3:::([^/]+)/.exec(arn)?.[1] ?? '')?.policy,
      resources: {
        ...provider<BucketProperties>(
          'AWS::S3::Bucket',
          [
            'BucketName',
            'VersioningConfiguration',
            'ObjectLockEnabled',
            'ObjectLockConfiguration',
            'BucketEncryption',
            'PublicAccessBlockConfiguration',
            // Recorded: transitions and expiry take days, and no cloud of this kind lives that long.
            'LifecycleConfiguration',
            // Recorded: there is one account, which owns every object.
            'OwnershipControls',
            'NotificationConfiguration',
            // Recorded: S3 delivers access logs on a best-effort basis; this one delivers none.
            'LoggingConfiguration',
            'Tags',
          ],
          (properties, context) => {
            const bucket = buckets.create(properties.BucketName ?? generatedName(context));
            configure(bucket, properties);
            const domain = `${bucket.name}.s3.${home.region}.amazonaws.com`;
            return {
              ref: bucket.name,
              attributes: {
                Arn: `arn:aws:s3:::${bucket.name}`,
                DomainName: `${bucket.name}.s3.amazonaws.com`,
                RegionalDomainName: domain,
              },
            };
          },
        ),
        ...provider<{ Bucket: string; PolicyDocument: PolicyDocument }>(
          'AWS::S3::BucketPolicy',
          ['Bucket', 'PolicyDocument'],
          (properties) => {
            buckets.find(properties.Bucket).policy = properties.PolicyDocument;
            return { ref: properties.Bucket };
          },
        ),
      },
    };
  },
};

function configure(bucket: Bucket, properties: BucketProperties): void {
  const { BucketEncryption, ObjectLockConfiguration, NotificationConfiguration = {} } = properties;
  // Object lock needs versioning, and turns it on.
  bucket.objectLock = isTrue(properties.ObjectLockEnabled);
  bucket.versioning = bucket.objectLock ? 'Enabled' : properties.VersioningConfiguration?.Status;
  const retention = ObjectLockConfiguration?.Rule?.DefaultRetention;
  if (retention) {
    if (!bucket.objectLock)
      throw new AwsError('InvalidRequest', `${bucket.name}: ObjectLockConfiguration needs ObjectLockEnabled`);
    bucket.defaultRetention = { mode: retention.Mode, days: retention.Days ?? (retention.Years ?? 0) * 365 };
  }
  const rule = BucketEncryption?.ServerSideEncryptionConfiguration[0];
  if (rule?.ServerSideEncryptionByDefault) {
    const byDefault = rule.ServerSideEncryptionByDefault;
    const kms = byDefault.SSEAlgorithm !== 'AES256';
    bucket.encryption = {
      algorithm: byDefault.SSEAlgorithm,
      ...(kms && { keyId: byDefault.KMSMasterKeyID ?? 'alias/aws/s3', bucketKey: isTrue(rule.BucketKeyEnabled) }),
    };
  }
  bucket.publicAccessBlock = properties.PublicAccessBlockConfiguration;
  bucket.lifecycle = properties.LifecycleConfiguration;
  refuseUnknown(`NotificationConfiguration of ${bucket.name}`, NotificationConfiguration, ['EventBridgeConfiguration']);
  const { EventBridgeConfiguration } = NotificationConfiguration;
  bucket.eventBridge =
    EventBridgeConfiguration !== undefined && isTrue(EventBridgeConfiguration.EventBridgeEnabled ?? true);
  for (const { Key, Value } of properties.Tags ?? []) bucket.tags.set(Key, Value);
}

const generatedName = ({ stackName, logicalId }: ResourceContext): string =>
  `${stackName}-${logicalId}-${randomInt(36 ** 8).toString(36)}`
    .toLowerCase()
    .slice(-63)
    .replace(/^[^a-z0-9]+/, '');
