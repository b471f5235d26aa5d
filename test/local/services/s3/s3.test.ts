import { afterAll, beforeAll, expect, test } from 'vitest';
import { kms } from '../../../../local/services/kms/index.ts';
import { s3 } from '../../../../local/services/s3/index.ts';
import { operator } from '../fake-home.ts';
import { OTHER_REGION, storage } from '../storage-home.ts';

const cloud = storage([kms, s3]);
beforeAll(() => cloud.ready);
afterAll(() => cloud.stop());
const call = (operation: string, input: object, region?: string) =>
  cloud.call('s3', operation, input, operator, region);
const bucket = async (properties: object = {}): Promise<string> =>
  (await cloud.deploy('s3', 'AWS::S3::Bucket', { ...properties })).ref;
const versioned = { VersioningConfiguration: { Status: 'Enabled' } };
const text = (output: { Body: Uint8Array }) => Buffer.from(output.Body).toString();

test('gives back what was put, whole or a range of it', async () => {
  const Bucket = await bucket();
  await call('PutObject', {
    Bucket,
    Key: 'a/b',
    Body: Buffer.from('hello world'),
    ContentType: 'text/plain',
    Metadata: { by: 'me' },
  });
  const got = await call('GetObject', { Bucket, Key: 'a/b' });
  expect(text(got)).toBe('hello world');
  expect(got).toMatchObject({
    ContentLength: 11,
    ContentType: 'text/plain',
    Metadata: { by: 'me' },
    ETag: '"5eb63bbbe01eeed093cb22bb8f5acdc3"',
  });
  expect(text(await call('GetObject', { Bucket, Key: 'a/b', Range: 'bytes=6-' }))).toBe('world');
  expect(await call('GetObject', { Bucket, Key: 'a/b', Range: 'bytes=-5' })).toMatchObject({
    ContentRange: 'bytes 6-10/11',
  });
  await expect(call('GetObject', { Bucket, Key: 'a/b', Range: 'bytes=20-30' })).rejects.toMatchObject({
    code: 'InvalidRange',
  });
});

test('a deleted object of a versioned bucket is hidden, and its versions stay', async () => {
  const Bucket = await bucket(versioned);
  const { VersionId: first } = await call('PutObject', { Bucket, Key: 'k', Body: Buffer.from('1') });
  await call('PutObject', { Bucket, Key: 'k', Body: Buffer.from('2') });
  const { DeleteMarker, VersionId: marker } = await call('DeleteObject', { Bucket, Key: 'k' });
  expect(DeleteMarker).toBe(true);
  await expect(call('GetObject', { Bucket, Key: 'k' })).rejects.toMatchObject({ code: 'NoSuchKey' });
  await expect(call('HeadObject', { Bucket, Key: 'k' })).rejects.toMatchObject({ code: 'NotFound' });
  expect(text(await call('GetObject', { Bucket, Key: 'k', VersionId: first }))).toBe('1');
  expect(await call('ListObjectVersions', { Bucket })).toMatchObject({
    Versions: [{ IsLatest: false }, { VersionId: first }],
    DeleteMarkers: [{ VersionId: marker, IsLatest: true }],
  });
  await call('DeleteObject', { Bucket, Key: 'k', VersionId: marker });
  expect(text(await call('GetObject', { Bucket, Key: 'k' }))).toBe('2');
});

test('a version under retention cannot be removed, unless governance is bypassed', async () => {
  const Bucket = await bucket({
    ObjectLockEnabled: true,
    ObjectLockConfiguration: {
      ObjectLockEnabled: 'Enabled',
      Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 1 } },
    },
  });
  const { VersionId } = await call('PutObject', { Bucket, Key: 'evidence', Body: Buffer.from('x') });
  await expect(call('DeleteObject', { Bucket, Key: 'evidence', VersionId })).rejects.toMatchObject({
    code: 'AccessDenied',
  });
  const until = new Date(Date.now() + 9 * 86_400_000);
  await call('PutObjectRetention', {
    Bucket,
    Key: 'evidence',
    VersionId,
    Retention: { Mode: 'GOVERNANCE', RetainUntilDate: until },
  });
  expect(await call('GetObjectRetention', { Bucket, Key: 'evidence' })).toEqual({
    Retention: { Mode: 'GOVERNANCE', RetainUntilDate: until },
  });
  await expect(
    call('PutObjectRetention', {
      Bucket,
      Key: 'evidence',
      Retention: { Mode: 'GOVERNANCE', RetainUntilDate: new Date() },
    }),
  ).rejects.toMatchObject({ code: 'AccessDenied' });
  expect(
    await cloud.access('s3', 'DeleteObject', { Bucket, Key: 'evidence', VersionId, BypassGovernanceRetention: true }),
  ).toMatchObject([{ action: 's3:DeleteObjectVersion' }, { action: 's3:BypassGovernanceRetention' }]);
  await call('DeleteObject', { Bucket, Key: 'evidence', VersionId, BypassGovernanceRetention: true });
  await expect(call('GetObject', { Bucket, Key: 'evidence' })).rejects.toMatchObject({ code: 'NoSuchKey' });
});

test('a bucket under a customer key presents it, and refuses when it is disabled', async () => {
  const KMSMasterKeyID = (await cloud.call('kms', 'CreateKey', {})).KeyMetadata.Arn;
  const Bucket = await bucket({
    BucketEncryption: {
      ServerSideEncryptionConfiguration: [
        { ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID }, BucketKeyEnabled: true },
      ],
    },
  });
  expect(await call('PutObject', { Bucket, Key: 'k', Body: Buffer.from('x') })).toMatchObject({
    ServerSideEncryption: 'aws:kms',
    SSEKMSKeyId: KMSMasterKeyID,
  });
  expect(await cloud.access('s3', 'PutObject', { Bucket, Key: 'k' })).toMatchObject([
    { action: 's3:PutObject', resources: [`arn:aws:s3:::${Bucket}/k`] },
    {
      action: 'kms:GenerateDataKey',
      resources: [KMSMasterKeyID],
      conditions: { 'kms:EncryptionContext:aws:s3:arn': `arn:aws:s3:::${Bucket}` },
    },
  ]);
  expect((await cloud.access('s3', 'GetObject', { Bucket, Key: 'k' })).map(({ action }) => action)).toEqual([
    's3:GetObject',
    'kms:Decrypt',
  ]);
  await cloud.call('kms', 'DisableKey', { KeyId: KMSMasterKeyID });
  await expect(call('GetObject', { Bucket, Key: 'k' })).rejects.toMatchObject({ code: 'KMS.DisabledException' });
});

test('a missing key asks for the right to list, as S3 does before it admits that the key is missing', async () => {
  const Bucket = await bucket();
  expect((await cloud.access('s3', 'GetObject', { Bucket, Key: 'none' })).map(({ action }) => action)).toEqual([
    's3:GetObject',
    's3:ListBucket',
  ]);
});

test('writes only what is not there, or what is still the same, when told so', async () => {
  const Bucket = await bucket();
  const put = (condition: object) => call('PutObject', { Bucket, Key: 'once', Body: Buffer.from('x'), ...condition });
  const { ETag } = await put({ IfNoneMatch: '*' });
  await expect(put({ IfNoneMatch: '*' })).rejects.toMatchObject({ code: 'PreconditionFailed' });
  await put({ IfMatch: ETag });
  await expect(put({ IfMatch: '"other"' })).rejects.toMatchObject({ code: 'PreconditionFailed' });
});

test('lists in key order, folded at a delimiter, page by page', async () => {
  const Bucket = await bucket();
  for (const Key of ['b', 'a/2', 'a/1', 'c']) await call('PutObject', { Bucket, Key, Body: Buffer.from(Key) });
  const first = await call('ListObjectsV2', { Bucket, Delimiter: '/', MaxKeys: 2 });
  expect(first).toMatchObject({
    CommonPrefixes: [{ Prefix: 'a/' }],
    Contents: [{ Key: 'b' }],
    IsTruncated: true,
    KeyCount: 2,
  });
  expect(
    await call('ListObjectsV2', { Bucket, Delimiter: '/', ContinuationToken: first.NextContinuationToken }),
  ).toMatchObject({ Contents: [{ Key: 'c' }], IsTruncated: false });
  expect(
    (await call('ListObjectsV2', { Bucket, Prefix: 'a/' })).Contents.map(({ Key }: { Key: string }) => Key),
  ).toEqual(['a/1', 'a/2']);
});

test('a multipart upload becomes one object when it is completed', async () => {
  const Bucket = await bucket();
  const { UploadId } = await call('CreateMultipartUpload', { Bucket, Key: 'big', ContentType: 'text/plain' });
  const large = Buffer.alloc(5 * 1024 * 1024, 'a');
  const parts = [large, Buffer.from('end')];
  const Parts = [];
  for (const [index, Body] of parts.entries()) {
    const { ETag } = await call('UploadPart', { Bucket, Key: 'big', UploadId, PartNumber: index + 1, Body });
    Parts.push({ PartNumber: index + 1, ETag });
  }
  const { ETag } = await call('CompleteMultipartUpload', { Bucket, Key: 'big', UploadId, MultipartUpload: { Parts } });
  expect(ETag).toMatch(/^"[0-9a-f]{32}-2"$/);
  expect(await call('HeadObject', { Bucket, Key: 'big' })).toMatchObject({
    ContentLength: large.length + 3,
    ContentType: 'text/plain',
  });
  await expect(call('UploadPart', { Bucket, Key: 'big', UploadId, PartNumber: 1, Body: large })).rejects.toMatchObject({
    code: 'NoSuchUpload',
  });
});

test('a bucket is known by name in every Region, and served in its own', async () => {
  const Bucket = await bucket({ BucketName: 'only-here' });
  await expect(call('GetObject', { Bucket, Key: 'k' }, OTHER_REGION)).rejects.toMatchObject({
    code: 'PermanentRedirect',
    fields: { Region: 'us-east-1' },
  });
  await expect(
    call('CreateBucket', { Bucket, CreateBucketConfiguration: { LocationConstraint: OTHER_REGION } }, OTHER_REGION),
  ).rejects.toMatchObject({ code: 'BucketAlreadyOwnedByYou' });
  expect((await call('ListBuckets', {}, OTHER_REGION)).Buckets).toContainEqual(
    expect.objectContaining({ Name: 'only-here', BucketRegion: 'us-east-1' }),
  );
});

test('copies an object with its metadata', async () => {
  const Bucket = await bucket(versioned);
  await call('PutObject', { Bucket, Key: 'from here', Body: Buffer.from('x'), Metadata: { a: '1' } });
  await call('CopyObject', { Bucket, Key: 'to', CopySource: `${Bucket}/from%20here` });
  expect(await call('HeadObject', { Bucket, Key: 'to' })).toMatchObject({ Metadata: { a: '1' } });
});

test("keeps the bucket's policy for the authorizer", async () => {
  const Bucket = await bucket();
  const PolicyDocument = { Statement: [{ Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: '*' }] };
  await cloud.deploy('s3', 'AWS::S3::BucketPolicy', { Bucket, PolicyDocument });
  expect(cloud.service('s3').resourcePolicy?.(`arn:aws:s3:::${Bucket}/any/key`)).toEqual(PolicyDocument);
});

test('refuses a property that it does not honour', async () => {
  await expect(bucket({ ReplicationConfiguration: {} })).rejects.toThrow(/ReplicationConfiguration/);
});
