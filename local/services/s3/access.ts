/** What S3 actions present to IAM: bucket or object ARN, and the customer key where one encrypts. */
import { type Access, AwsError, type Home } from '../../kernel.ts';
import { type KmsService, keyAccess } from '../kms/index.ts';
import type { Bucket, ObjectVersion } from './buckets.ts';

export const bucketArn = (bucket: string | undefined): string => `arn:aws:s3:::${bucket ?? ''}`;
export const objectArn = (bucket: string | undefined, key: string | undefined): string =>
  `${bucketArn(bucket)}/${key ?? ''}`;

type Encryption = ObjectVersion['encryption'];

/** The encryption of a new object: the request's, else the bucket's default. */
export function encryptionOf(
  bucket: Bucket | undefined,
  input: {
    ServerSideEncryption?: string | undefined;
    SSEKMSKeyId?: string | undefined;
    BucketKeyEnabled?: boolean | undefined;
  },
): Encryption {
  const fallback = bucket?.encryption ?? { algorithm: 'AES256' };
  if (!input.ServerSideEncryption) return fallback;
  const keyId = input.SSEKMSKeyId ?? (fallback.algorithm === input.ServerSideEncryption ? fallback.keyId : undefined);
  return {
    algorithm: input.ServerSideEncryption,
    ...(input.ServerSideEncryption !== 'AES256' && { keyId: keyId ?? 'alias/aws/s3' }),
    ...(input.BucketKeyEnabled !== undefined && { bucketKey: input.BucketKeyEnabled }),
  };
}

/** KMS sees the call of S3 for the caller; with a bucket key the context is the bucket's ARN, else the object's. */
export function objectKeyAccess(
  home: Home,
  actions: readonly string[],
  encryption: Encryption | undefined,
  bucket: string | undefined,
  key: string | undefined,
): Access[] {
  if (!encryption?.keyId) return [];
  const context = encryption.bucketKey ? bucketArn(bucket) : objectArn(bucket, key);
  return keyAccess(home, 's3', actions, encryption.keyId, { 'aws:s3:arn': context });
}

/** S3 passes on why KMS refused, as `KMS.DisabledException`. */
export function requireKey(home: Home, encryption: Encryption): void {
  if (!encryption.keyId) return;
  try {
    (home.service('kms') as KmsService).requireUsable(encryption.keyId);
  } catch (error) {
    throw error instanceof AwsError ? new AwsError(`KMS.${error.code}`, error.message) : error;
  }
}
