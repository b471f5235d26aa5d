/** Operations on buckets themselves: making them, and the settings that are honoured or shown back. */
import type * as S3 from '@aws-sdk/client-s3';
import { AwsError, type Home, type Operation, type PolicyDocument } from '../../kernel.ts';
import { operation } from '../declare.ts';
import { bucketArn } from './access.ts';
import type { Bucket, Buckets, S3Service } from './buckets.ts';

type OfBucket = { Bucket: string | undefined };

export function bucketOperations(home: Home, buckets: Buckets): Record<string, Operation> {
  const on = (action: string) => (input: OfBucket) => ({
    action: `s3:${action}`,
    resources: [bucketArn(input.Bucket)],
  });
  /** An operation that reads one setting. */
  const read = <O extends object>(action: string, get: (bucket: Bucket) => Omit<O, '$metadata'>) =>
    operation<OfBucket & { ExpectedBucketOwner?: string }, O>(['Bucket', 'ExpectedBucketOwner'], on(action), (input) =>
      get(buckets.find(input.Bucket)),
    );
  /** An operation that changes one setting. */
  const write = <I extends OfBucket>(
    action: string,
    member: keyof I & string,
    set: (bucket: Bucket, input: I) => void,
  ) =>
    operation<I>(
      [member, 'Bucket', 'ChecksumAlgorithm', 'ContentMD5', 'ExpectedBucketOwner'] as (keyof I & string)[],
      on(action),
      (input) => {
        set(buckets.find(input.Bucket), input);
        return {};
      },
    );

  return {
    CreateBucket: operation<S3.CreateBucketCommandInput, S3.CreateBucketCommandOutput>(
      ['Bucket', 'CreateBucketConfiguration', 'ObjectLockEnabledForBucket', 'ObjectOwnership'],
      on('CreateBucket'),
      (input) => {
        const wanted = input.CreateBucketConfiguration?.LocationConstraint ?? 'us-east-1';
        if (wanted !== home.region) {
          throw new AwsError(
            'IllegalLocationConstraintException',
            `The ${wanted} location constraint is incompatible for the region specific endpoint this request was sent to.`,
          );
        }
        const bucket = buckets.create(input.Bucket ?? '');
        if (input.ObjectLockEnabledForBucket) Object.assign(bucket, { objectLock: true, versioning: 'Enabled' });
        return { Location: `/${bucket.name}` };
      },
    ),
    DeleteBucket: operation<S3.DeleteBucketCommandInput>(
      ['Bucket', 'ExpectedBucketOwner'],
      on('DeleteBucket'),
      (input) => {
        const bucket = buckets.find(input.Bucket);
        if (bucket.objects.size)
          throw new AwsError('BucketNotEmpty', 'The bucket you tried to delete is not empty', {
            BucketName: bucket.name,
          });
        buckets.all.delete(bucket.name);
        return {};
      },
    ),
    HeadBucket: operation<S3.HeadBucketCommandInput, S3.HeadBucketCommandOutput>(
      ['Bucket', 'ExpectedBucketOwner'],
      on('ListBucket'),
      (input) => {
        if (!buckets.all.has(input.Bucket ?? '')) throw new AwsError('NotFound', 'Not Found');
        return { BucketRegion: home.region };
      },
    ),
    ListBuckets: operation<S3.ListBucketsCommandInput, S3.ListBucketsCommandOutput>(
      ['Prefix', 'BucketRegion'],
      () => ({ action: 's3:ListAllMyBuckets', resources: ['*'] }),
      (input, call) => {
        const everywhere = home.regions.flatMap((region) => {
          const there = region === home.region ? buckets : (home.service('s3', region) as S3Service).buckets;
          return [...there.all.values()].map(({ name, createdAt }) => ({
            Name: name,
            CreationDate: createdAt,
            BucketRegion: region,
          }));
        });
        const shown = everywhere.filter(
          ({ Name, BucketRegion }) =>
            Name.startsWith(input.Prefix ?? '') && (!input.BucketRegion || BucketRegion === input.BucketRegion),
        );
        return { Buckets: shown.toSorted((a, b) => (a.Name < b.Name ? -1 : 1)), Owner: { ID: call.account } };
      },
    ),
    // us-east-1 is the empty location, by history.
    GetBucketLocation: read<S3.GetBucketLocationCommandOutput>('GetBucketLocation', () => ({
      LocationConstraint: home.region === 'us-east-1' ? undefined : (home.region as S3.BucketLocationConstraint),
    })),
    GetBucketVersioning: read<S3.GetBucketVersioningCommandOutput>('GetBucketVersioning', ({ versioning }) => ({
      Status: versioning,
    })),
    PutBucketVersioning: write<S3.PutBucketVersioningCommandInput>(
      'PutBucketVersioning',
      'VersioningConfiguration',
      (bucket, input) => {
        const status = input.VersioningConfiguration?.Status;
        if (bucket.objectLock && status !== 'Enabled') {
          throw new AwsError(
            'InvalidBucketState',
            'An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.',
          );
        }
        bucket.versioning = status;
      },
    ),
    GetBucketEncryption: read<S3.GetBucketEncryptionCommandOutput>('GetEncryptionConfiguration', ({ encryption }) => ({
      ServerSideEncryptionConfiguration: {
        Rules: [
          {
            ApplyServerSideEncryptionByDefault: {
              SSEAlgorithm: encryption.algorithm as S3.ServerSideEncryption,
              KMSMasterKeyID: encryption.keyId,
            },
            BucketKeyEnabled: encryption.bucketKey ?? false,
          },
        ],
      },
    })),
    GetObjectLockConfiguration: read<S3.GetObjectLockConfigurationCommandOutput>(
      'GetBucketObjectLockConfiguration',
      (bucket) => {
        if (!bucket.objectLock)
          throw new AwsError(
            'ObjectLockConfigurationNotFoundError',
            'Object Lock configuration does not exist for this bucket',
          );
        const retention = bucket.defaultRetention;
        return {
          ObjectLockConfiguration: {
            ObjectLockEnabled: 'Enabled',
            ...(retention && { Rule: { DefaultRetention: { Mode: retention.mode, Days: retention.days } } }),
          },
        };
      },
    ),
    GetPublicAccessBlock: read<S3.GetPublicAccessBlockCommandOutput>(
      'GetBucketPublicAccessBlock',
      ({ publicAccessBlock }) => {
        if (!publicAccessBlock)
          throw new AwsError(
            'NoSuchPublicAccessBlockConfiguration',
            'The public access block configuration was not found',
          );
        return { PublicAccessBlockConfiguration: publicAccessBlock };
      },
    ),
    GetBucketPolicy: read<S3.GetBucketPolicyCommandOutput>('GetBucketPolicy', ({ policy }) => {
      if (!policy) throw new AwsError('NoSuchBucketPolicy', 'The bucket policy does not exist');
      return { Policy: JSON.stringify(policy) };
    }),
    PutBucketPolicy: write<S3.PutBucketPolicyCommandInput>('PutBucketPolicy', 'Policy', (bucket, input) => {
      try {
        bucket.policy = JSON.parse(input.Policy ?? '') as PolicyDocument;
      } catch {
        throw new AwsError('MalformedPolicy', 'Policies must be valid JSON');
      }
    }),
    GetBucketTagging: read<S3.GetBucketTaggingCommandOutput>('GetBucketTagging', ({ tags }) => {
      if (!tags.size) throw new AwsError('NoSuchTagSet', 'The TagSet does not exist');
      return { TagSet: [...tags].map(([Key, Value]) => ({ Key, Value })) };
    }),
  };
}
