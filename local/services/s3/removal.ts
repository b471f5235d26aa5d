/** Deleting objects and what forbids it: delete markers, versions removed for good, retention under object lock. */
import type * as S3 from '@aws-sdk/client-s3';
import { type Access, AwsError, type Operation } from '../../kernel.ts';
import { operation } from '../declare.ts';
import { objectArn } from './access.ts';
import type { Bucket, Buckets } from './buckets.ts';

export function deleteOperations(buckets: Buckets): Record<string, Operation> {
  const remove = (bucket: Bucket, key: string, id: string | undefined, bypass: boolean | undefined) => {
    const versions = bucket.objects.get(key) ?? [];
    if (id) {
      const version = versions.find((each) => each.id === id);
      if (version) buckets.remove(bucket, version, bypass ?? false);
      return { VersionId: id, ...(version?.marker && { DeleteMarker: true }) };
    }
    if (bucket.versioning) {
      const marker = buckets.putMarker(bucket, key);
      return { VersionId: marker.id, DeleteMarker: true };
    }
    for (const version of versions) buckets.remove(bucket, version, false);
    return {};
  };
  const access = (
    bucket: string | undefined,
    key: string | undefined,
    id: string | undefined,
    bypass: boolean | undefined,
  ): Access[] => {
    const resources = [objectArn(bucket, key)];
    const action = id ? 's3:DeleteObjectVersion' : 's3:DeleteObject';
    return [
      { action, resources, ...(id && { conditions: { 's3:VersionId': id } }) },
      ...(bypass ? [{ action: 's3:BypassGovernanceRetention', resources }] : []),
    ];
  };
  return {
    DeleteObject: operation<S3.DeleteObjectCommandInput, S3.DeleteObjectCommandOutput>(
      ['Bucket', 'Key', 'VersionId', 'BypassGovernanceRetention', 'ExpectedBucketOwner'],
      (input) => access(input.Bucket, input.Key, input.VersionId, input.BypassGovernanceRetention),
      (input) => remove(buckets.find(input.Bucket), input.Key ?? '', input.VersionId, input.BypassGovernanceRetention),
    ),
    DeleteObjects: operation<S3.DeleteObjectsCommandInput, S3.DeleteObjectsCommandOutput>(
      ['Bucket', 'Delete', 'BypassGovernanceRetention', 'ChecksumAlgorithm', 'ExpectedBucketOwner', 'RequestPayer'],
      (input) =>
        (input.Delete?.Objects ?? []).flatMap(({ Key, VersionId }) =>
          access(input.Bucket, Key, VersionId, input.BypassGovernanceRetention),
        ),
      (input) => {
        const bucket = buckets.find(input.Bucket);
        const Deleted: S3.DeletedObject[] = [];
        const Errors: S3._Error[] = [];
        for (const { Key = '', VersionId } of input.Delete?.Objects ?? []) {
          try {
            const { DeleteMarker, VersionId: id } = remove(bucket, Key, VersionId, input.BypassGovernanceRetention) as {
              DeleteMarker?: boolean;
              VersionId?: string;
            };
            Deleted.push({
              Key,
              ...(VersionId && { VersionId }),
              ...(DeleteMarker && { DeleteMarker, DeleteMarkerVersionId: id }),
            });
          } catch (error) {
            if (!(error instanceof AwsError)) throw error;
            Errors.push({ Key, VersionId, Code: error.code, Message: error.message });
          }
        }
        return { Deleted: input.Delete?.Quiet ? undefined : Deleted, Errors };
      },
    ),
  };
}

export function retentionOperations(buckets: Buckets): Record<string, Operation> {
  const lockable = (name: string | undefined, key: string | undefined, id: string | undefined) => {
    const bucket = buckets.find(name);
    if (!bucket.objectLock) throw new AwsError('InvalidRequest', 'Bucket is missing Object Lock Configuration');
    return buckets.version(bucket, key ?? '', id);
  };
  return {
    PutObjectRetention: operation<S3.PutObjectRetentionCommandInput>(
      [
        'Bucket',
        'Key',
        'VersionId',
        'Retention',
        'BypassGovernanceRetention',
        'ChecksumAlgorithm',
        'ExpectedBucketOwner',
        'RequestPayer',
      ],
      (input) => {
        const resources = [objectArn(input.Bucket, input.Key)];
        const conditions = {
          's3:object-lock-mode': input.Retention?.Mode,
          's3:object-lock-retain-until-date': input.Retention?.RetainUntilDate?.toISOString(),
        };
        const bypass = input.BypassGovernanceRetention ? [{ action: 's3:BypassGovernanceRetention', resources }] : [];
        return [{ action: 's3:PutObjectRetention', resources, conditions }, ...bypass];
      },
      (input) => {
        const version = lockable(input.Bucket, input.Key, input.VersionId);
        const { Mode, RetainUntilDate } = input.Retention ?? {};
        const current = version.retention;
        // Retention may grow; to shorten it governance mode must be bypassed, and compliance mode cannot be.
        const weaker =
          current &&
          current.until > buckets.now() &&
          (!RetainUntilDate || RetainUntilDate < current.until || Mode !== current.mode);
        if (weaker && !(current.mode === 'GOVERNANCE' && input.BypassGovernanceRetention)) {
          throw new AwsError('AccessDenied', 'Access Denied because object protected by object lock.');
        }
        version.retention = Mode && RetainUntilDate ? { mode: Mode, until: RetainUntilDate } : undefined;
        return {};
      },
    ),
    GetObjectRetention: operation<S3.GetObjectRetentionCommandInput, S3.GetObjectRetentionCommandOutput>(
      ['Bucket', 'Key', 'VersionId'],
      (input) => ({ action: 's3:GetObjectRetention', resources: [objectArn(input.Bucket, input.Key)] }),
      (input) => {
        const { retention } = lockable(input.Bucket, input.Key, input.VersionId);
        if (!retention)
          throw new AwsError(
            'NoSuchObjectLockConfiguration',
            'The specified object does not have a ObjectLock configuration',
          );
        return { Retention: { Mode: retention.mode, RetainUntilDate: retention.until } };
      },
    ),
  };
}
