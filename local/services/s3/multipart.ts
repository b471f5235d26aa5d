/** Multipart uploads: parts are kept in memory until the upload is completed or aborted. */
import { createHash, randomUUID } from 'node:crypto';
import type * as S3 from '@aws-sdk/client-s3';
import { AwsError, type Home, type Operation } from '../../kernel.ts';
import { operation } from '../declare.ts';
import { encryptionOf, objectArn, requireKey } from './access.ts';
import type { Buckets } from './buckets.ts';
import {
  checkConditions,
  created,
  ENCRYPTION,
  encryptionHeaders,
  HEADERS,
  LOCK,
  lockOf,
  md5,
  pick,
  putAccess,
  TRANSPORT,
  toBytes,
  versionId,
} from './objects.ts';

interface Upload {
  readonly input: S3.CreateMultipartUploadCommandInput;
  readonly parts: Map<number, { body: Uint8Array; etag: string }>;
}

/** Every part but the last is at least 5 MiB. */
const SMALLEST_PART = 5 * 1024 * 1024;

export function multipartOperations(home: Home, buckets: Buckets): Record<string, Operation> {
  const uploads = new Map<string, Upload>();
  const find = (id: string | undefined): Upload => {
    const upload = uploads.get(id ?? '');
    if (!upload)
      throw new AwsError(
        'NoSuchUpload',
        'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
      );
    return upload;
  };
  return {
    CreateMultipartUpload: operation<S3.CreateMultipartUploadCommandInput, S3.CreateMultipartUploadCommandOutput>(
      [
        'Bucket',
        'Key',
        'Tagging',
        'ChecksumAlgorithm',
        'ChecksumType',
        'ExpectedBucketOwner',
        'RequestPayer',
        ...HEADERS,
        ...ENCRYPTION,
        ...LOCK,
      ],
      (input) => putAccess(home, buckets, input),
      (input) => {
        const encryption = encryptionOf(buckets.find(input.Bucket), input);
        requireKey(home, encryption);
        const UploadId = randomUUID();
        uploads.set(UploadId, { input, parts: new Map() });
        return { Bucket: input.Bucket, Key: input.Key, UploadId, ...encryptionHeaders(encryption) };
      },
    ),
    UploadPart: operation<S3.UploadPartCommandInput, S3.UploadPartCommandOutput>(
      ['Bucket', 'Key', 'UploadId', 'PartNumber', 'Body', ...TRANSPORT],
      (input) => ({ action: 's3:PutObject', resources: [objectArn(input.Bucket, input.Key)] }),
      (input) => {
        const body = toBytes(input.Body);
        find(input.UploadId).parts.set(input.PartNumber ?? 0, { body, etag: md5(body) });
        return { ETag: `"${md5(body)}"` };
      },
    ),
    CompleteMultipartUpload: operation<S3.CompleteMultipartUploadCommandInput, S3.CompleteMultipartUploadCommandOutput>(
      [
        'Bucket',
        'Key',
        'UploadId',
        'MultipartUpload',
        'IfMatch',
        'IfNoneMatch',
        'ChecksumType',
        'MpuObjectSize',
        'ExpectedBucketOwner',
        'RequestPayer',
      ],
      (input) => ({ action: 's3:PutObject', resources: [objectArn(input.Bucket, input.Key)] }),
      (input) => {
        const upload = find(input.UploadId);
        const bucket = buckets.find(input.Bucket);
        checkConditions(bucket.objects.get(input.Key ?? '')?.at(-1), input);
        const parts = (input.MultipartUpload?.Parts ?? []).map(({ PartNumber = 0, ETag }) => {
          const part = upload.parts.get(PartNumber);
          if (part?.etag !== ETag?.replaceAll('"', ''))
            throw new AwsError('InvalidPart', `One or more of the specified parts could not be found: ${PartNumber}`);
          return part as NonNullable<typeof part>;
        });
        if (parts.slice(0, -1).some(({ body }) => body.length < SMALLEST_PART)) {
          throw new AwsError('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size');
        }
        // The tag of such an object is the digest of its parts' digests.
        const digest = createHash('md5')
          .update(Buffer.concat(parts.map(({ etag }) => Buffer.from(etag, 'hex'))))
          .digest('hex');
        const encryption = encryptionOf(bucket, upload.input);
        const version = buckets.put(bucket, input.Key ?? '', Buffer.concat(parts.map(({ body }) => body)), {
          etag: `${digest}-${parts.length}`,
          headers: pick(upload.input, HEADERS),
          encryption,
          ...lockOf(bucket, upload.input),
          tags: new Map(new URLSearchParams(upload.input.Tagging)),
        });
        uploads.delete(input.UploadId ?? '');
        created(home, bucket, version, 'CompleteMultipartUpload');
        return {
          Bucket: bucket.name,
          Key: version.key,
          ETag: `"${version.etag}"`,
          Location: `${home.endpoint}/${bucket.name}/${version.key}`,
          ...versionId(bucket, version),
          ...encryptionHeaders(encryption),
        };
      },
    ),
    AbortMultipartUpload: operation<S3.AbortMultipartUploadCommandInput>(
      ['Bucket', 'Key', 'UploadId', 'ExpectedBucketOwner', 'RequestPayer'],
      (input) => ({ action: 's3:AbortMultipartUpload', resources: [objectArn(input.Bucket, input.Key)] }),
      (input) => {
        find(input.UploadId);
        uploads.delete(input.UploadId ?? '');
        return {};
      },
    ),
  };
}
