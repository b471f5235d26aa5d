/** Objects: put, get, head, copy, delete, retention. */
import { createHash } from 'node:crypto';
import type * as S3 from '@aws-sdk/client-s3';
import { type Access, AwsError, type Home, type Operation } from '../../kernel.ts';
import { operation } from '../declare.ts';
import { bucketArn, encryptionOf, objectArn, objectKeyAccess, requireKey } from './access.ts';
import type { Bucket, Buckets, ObjectVersion } from './buckets.ts';

export const HEADERS = [
  'CacheControl',
  'ContentDisposition',
  'ContentEncoding',
  'ContentLanguage',
  'ContentType',
  'Metadata',
  'StorageClass',
  'WebsiteRedirectLocation',
] as const;
export const ENCRYPTION = ['ServerSideEncryption', 'SSEKMSKeyId', 'BucketKeyEnabled'] as const;
export const LOCK = ['ObjectLockMode', 'ObjectLockRetainUntilDate', 'ObjectLockLegalHoldStatus'] as const;
// Transport: checked by the wire or the SDK itself, and without effect on what is stored.
export const TRANSPORT = [
  'ContentLength',
  'ContentMD5',
  'ChecksumAlgorithm',
  'ChecksumCRC32',
  'ChecksumCRC32C',
  'ChecksumCRC64NVME',
  'ChecksumSHA1',
  'ChecksumSHA256',
  'ExpectedBucketOwner',
  'RequestPayer',
] as const;

type GetInput = S3.GetObjectCommandInput;

export function objectOperations(home: Home, buckets: Buckets): Record<string, Operation> {
  return {
    PutObject: operation<S3.PutObjectCommandInput, S3.PutObjectCommandOutput>(
      ['Bucket', 'Key', 'Body', 'Tagging', 'IfMatch', 'IfNoneMatch', ...HEADERS, ...ENCRYPTION, ...LOCK, ...TRANSPORT],
      (input) => putAccess(home, buckets, input),
      (input) => {
        const bucket = buckets.find(input.Bucket);
        const key = input.Key ?? '';
        checkConditions(bucket.objects.get(key)?.at(-1), input);
        const encryption = encryptionOf(bucket, input);
        requireKey(home, encryption);
        const body = toBytes(input.Body);
        const version = buckets.put(bucket, key, body, {
          etag: md5(body),
          headers: pick(input, HEADERS),
          encryption,
          ...lockOf(bucket, input),
          tags: new Map(new URLSearchParams(input.Tagging)),
        });
        created(home, bucket, version, 'PutObject');
        return { ETag: `"${version.etag}"`, ...versionId(bucket, version), ...encryptionHeaders(encryption) };
      },
    ),
    GetObject: operation<GetInput, S3.GetObjectCommandOutput>(
      [
        'Bucket',
        'Key',
        'VersionId',
        'Range',
        'IfMatch',
        'IfNoneMatch',
        'ChecksumMode',
        'ExpectedBucketOwner',
        'RequestPayer',
      ],
      (input) => getAccess(home, buckets, input),
      async (input) => {
        const bucket = buckets.find(input.Bucket);
        const version = readable(buckets, bucket, input);
        requireKey(home, version.encryption);
        const whole = buckets.read(version);
        const range = rangeOf(input.Range, whole.length);
        const body = range ? whole.subarray(range.from, range.to + 1) : whole;
        return {
          ...described(bucket, version),
          ContentLength: body.length,
          ...(range && { ContentRange: `bytes ${range.from}-${range.to}/${whole.length}` }),
          Body: body as unknown as S3.GetObjectCommandOutput['Body'],
        };
      },
    ),
    HeadObject: operation<S3.HeadObjectCommandInput, S3.HeadObjectCommandOutput>(
      ['Bucket', 'Key', 'VersionId', 'IfMatch', 'IfNoneMatch', 'ChecksumMode', 'ExpectedBucketOwner', 'RequestPayer'],
      (input) => getAccess(home, buckets, input),
      (input) => {
        const bucket = buckets.find(input.Bucket);
        try {
          return { ...described(bucket, readable(buckets, bucket, input)) };
        } catch (error) {
          // A response to HEAD has no body, so the client sees the status alone.
          if (error instanceof AwsError && /^NoSuch(Key|Version)$/.test(error.code))
            throw new AwsError('NotFound', 'Not Found');
          throw error;
        }
      },
    ),
    CopyObject: operation<S3.CopyObjectCommandInput, S3.CopyObjectCommandOutput>(
      [
        'Bucket',
        'Key',
        'CopySource',
        'MetadataDirective',
        ...HEADERS,
        ...ENCRYPTION,
        ...LOCK,
        'ChecksumAlgorithm',
        'ExpectedBucketOwner',
        'ExpectedSourceBucketOwner',
      ],
      (input) => [...getAccess(home, buckets, sourceOf(input.CopySource)), ...putAccess(home, buckets, input)],
      async (input) => {
        const source = sourceOf(input.CopySource);
        const from = readable(buckets, buckets.find(source.Bucket), source);
        const bucket = buckets.find(input.Bucket);
        const encryption = encryptionOf(bucket, input);
        requireKey(home, from.encryption);
        requireKey(home, encryption);
        const headers = input.MetadataDirective === 'REPLACE' ? pick(input, HEADERS) : from.headers;
        const version = buckets.put(bucket, input.Key ?? '', buckets.read(from), {
          etag: from.etag,
          headers,
          encryption,
          ...lockOf(bucket, input),
          tags: new Map(from.tags),
        });
        created(home, bucket, version, 'CopyObject');
        return {
          CopyObjectResult: { ETag: `"${version.etag}"`, LastModified: version.modifiedAt },
          ...versionId(bucket, version),
          ...encryptionHeaders(encryption),
        };
      },
    ),
  };
}

/** A new object's access; also that of a completed multipart upload. */
export function putAccess(
  home: Home,
  buckets: Buckets,
  input: Pick<
    S3.PutObjectCommandInput,
    | 'Bucket'
    | 'Key'
    | 'ServerSideEncryption'
    | 'SSEKMSKeyId'
    | 'BucketKeyEnabled'
    | 'StorageClass'
    | 'ObjectLockMode'
    | 'ObjectLockRetainUntilDate'
    | 'Tagging'
  >,
): Access[] {
  const resources = [objectArn(input.Bucket, input.Key)];
  const conditions = {
    's3:x-amz-server-side-encryption': input.ServerSideEncryption,
    's3:x-amz-server-side-encryption-aws-kms-key-id': input.SSEKMSKeyId,
    's3:x-amz-storage-class': input.StorageClass,
    's3:object-lock-mode': input.ObjectLockMode,
  };
  return [
    { action: 's3:PutObject', resources, conditions },
    ...(input.ObjectLockMode ? [{ action: 's3:PutObjectRetention', resources }] : []),
    ...(input.Tagging ? [{ action: 's3:PutObjectTagging', resources }] : []),
    ...objectKeyAccess(
      home,
      ['GenerateDataKey'],
      encryptionOf(buckets.all.get(input.Bucket ?? ''), input),
      input.Bucket,
      input.Key,
    ),
  ];
}

/** Who may not list the bucket learns of a missing key as a denial: S3 asks for s3:ListBucket only then. */
function getAccess(home: Home, buckets: Buckets, input: Pick<GetInput, 'Bucket' | 'Key' | 'VersionId'>): Access[] {
  const versions = buckets.all.get(input.Bucket ?? '')?.objects.get(input.Key ?? '');
  const version = input.VersionId ? versions?.find(({ id }) => id === input.VersionId) : versions?.at(-1);
  const missing = buckets.all.has(input.Bucket ?? '') && (!version || version.marker);
  return [
    {
      action: input.VersionId ? 's3:GetObjectVersion' : 's3:GetObject',
      resources: [objectArn(input.Bucket, input.Key)],
      ...(input.VersionId && { conditions: { 's3:VersionId': input.VersionId } }),
    },
    ...(missing ? [{ action: 's3:ListBucket', resources: [bucketArn(input.Bucket)] }] : []),
    ...objectKeyAccess(home, ['Decrypt'], version?.encryption, input.Bucket, input.Key),
  ];
}

function readable(
  buckets: Buckets,
  bucket: Bucket,
  input: Pick<GetInput, 'Key' | 'VersionId' | 'IfMatch' | 'IfNoneMatch'>,
): ObjectVersion {
  const version = buckets.version(bucket, input.Key ?? '', input.VersionId);
  if (version.marker && input.VersionId)
    throw new AwsError('MethodNotAllowed', 'The specified method is not allowed against this resource.');
  if (version.marker) throw new AwsError('NoSuchKey', 'The specified key does not exist.', { Key: input.Key });
  if (input.IfNoneMatch && unquoted(input.IfNoneMatch) === version.etag)
    throw new AwsError('NotModified', 'Not Modified');
  if (input.IfMatch && unquoted(input.IfMatch) !== version.etag) throw preconditionFailed('If-Match');
  return version;
}

/** Conditional writes: `If-None-Match: *` writes only where there is no object, `If-Match` only over that one. */
export function checkConditions(
  current: ObjectVersion | undefined,
  input: { IfMatch?: string | undefined; IfNoneMatch?: string | undefined },
): void {
  const existing = current?.marker ? undefined : current;
  if (input.IfNoneMatch && input.IfNoneMatch !== '*')
    throw new AwsError(
      'NotImplemented',
      'A header you provided implies functionality that is not implemented: If-None-Match',
    );
  if (input.IfNoneMatch && existing) throw preconditionFailed('If-None-Match');
  if (input.IfMatch && !existing) throw new AwsError('NoSuchKey', 'The specified key does not exist.');
  if (input.IfMatch && unquoted(input.IfMatch) !== existing?.etag) throw preconditionFailed('If-Match');
}

const preconditionFailed = (Condition: string) =>
  new AwsError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', { Condition });

function rangeOf(header: string | undefined, size: number): { from: number; to: number } | undefined {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (first === undefined || last === undefined || first + last === '') return undefined;
  const from = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const to = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (from > to)
    throw new AwsError('InvalidRange', 'The requested range is not satisfiable', { ActualObjectSize: size });
  return { from, to };
}

/** `bucket/key?versionId=…`, percent-encoded, with or without a leading slash. */
function sourceOf(copySource = ''): { Bucket: string; Key: string; VersionId?: string } {
  const [path = '', query] = copySource.replace(/^\//, '').split('?versionId=');
  const [Bucket = '', ...key] = decodeURIComponent(path).split('/');
  return { Bucket, Key: key.join('/'), ...(query && { VersionId: query }) };
}

export function lockOf(
  bucket: Bucket,
  input: Pick<S3.PutObjectCommandInput, (typeof LOCK)[number]>,
): Pick<ObjectVersion, 'retention' | 'legalHold'> {
  const { ObjectLockMode: mode, ObjectLockRetainUntilDate: until, ObjectLockLegalHoldStatus: hold } = input;
  if ((mode || hold) && !bucket.objectLock)
    throw new AwsError('InvalidRequest', 'Bucket is missing Object Lock Configuration');
  return { ...(mode && until && { retention: { mode, until } }), ...(hold === 'ON' && { legalHold: true }) };
}

function described(bucket: Bucket, version: ObjectVersion) {
  return {
    ...version.headers,
    ContentType: (version.headers.ContentType as string | undefined) ?? 'binary/octet-stream',
    AcceptRanges: 'bytes',
    ContentLength: version.size,
    ETag: `"${version.etag}"`,
    LastModified: version.modifiedAt,
    ...versionId(bucket, version),
    ...encryptionHeaders(version.encryption),
    ...(version.retention && {
      ObjectLockMode: version.retention.mode,
      ObjectLockRetainUntilDate: version.retention.until,
    }),
    ...(version.legalHold && { ObjectLockLegalHoldStatus: 'ON' as const }),
    ...(version.tags.size > 0 && { TagCount: version.tags.size }),
  };
}

export const versionId = (bucket: Bucket, version: ObjectVersion) =>
  bucket.versioning ? { VersionId: version.id } : {};

export const encryptionHeaders = ({ algorithm, keyId, bucketKey }: ObjectVersion['encryption']) => ({
  ServerSideEncryption: algorithm as S3.ServerSideEncryption,
  ...(keyId && { SSEKMSKeyId: keyId }),
  ...(bucketKey !== undefined && { BucketKeyEnabled: bucketKey }),
});

/** Buckets that send to EventBridge tell of every new object. */
export function created(home: Home, bucket: Bucket, version: ObjectVersion, reason: string): void {
  if (!bucket.eventBridge) return;
  home.emit({
    source: 'aws.s3',
    'detail-type': 'Object Created',
    resources: [bucketArn(bucket.name)],
    detail: {
      version: '0',
      bucket: { name: bucket.name },
      object: { key: version.key, size: version.size, etag: version.etag, 'version-id': version.id },
      reason,
    },
  });
}

export const pick = <T extends object>(from: T, names: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(from).filter(([name, value]) => names.includes(name) && value !== undefined));

export const md5 = (body: Uint8Array): string => createHash('md5').update(body).digest('hex');

const unquoted = (etag: string): string => etag.replaceAll('"', '');

/** The wire gives bytes; a state machine's integration gives a string or a JSON value. */
export function toBytes(body: unknown): Uint8Array {
  if (body === undefined || body === null) return new Uint8Array();
  if (body instanceof Uint8Array) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}
