/** ListObjectsV2 and ListObjectVersions: in key order, by prefix, folded at a delimiter, page by page. */
import type * as S3 from '@aws-sdk/client-s3';
import type { Operation } from '../../kernel.ts';
import { operation } from '../declare.ts';
import { bucketArn } from './access.ts';
import type { Bucket, Buckets, ObjectVersion } from './buckets.ts';

const PAGE = 1000;

export function listOperations(buckets: Buckets): Record<string, Operation> {
  const access =
    (action: string) =>
    (input: {
      Bucket: string | undefined;
      Prefix?: string | undefined;
      Delimiter?: string | undefined;
      MaxKeys?: number | undefined;
    }) => ({
      action,
      resources: [bucketArn(input.Bucket)],
      conditions: {
        's3:prefix': input.Prefix,
        's3:delimiter': input.Delimiter,
        's3:max-keys': input.MaxKeys === undefined ? undefined : String(input.MaxKeys),
      },
    });
  return {
    ListObjectsV2: operation<S3.ListObjectsV2CommandInput, S3.ListObjectsV2CommandOutput>(
      [
        'Bucket',
        'Prefix',
        'Delimiter',
        'MaxKeys',
        'ContinuationToken',
        'StartAfter',
        'EncodingType',
        'FetchOwner',
        'ExpectedBucketOwner',
        'RequestPayer',
      ],
      access('s3:ListBucket'),
      (input) => {
        const bucket = buckets.find(input.Bucket);
        const current = entries(bucket, input.Prefix).flatMap(([key, versions]) => {
          const version = versions.at(-1);
          return version && !version.marker ? [{ key, version }] : [];
        });
        const after = input.ContinuationToken
          ? Buffer.from(input.ContinuationToken, 'base64url').toString()
          : input.StartAfter;
        const limit = Math.min(input.MaxKeys ?? PAGE, PAGE);
        const { shown, prefixes, last, more } = fold(current, input, after, limit);
        return {
          Name: bucket.name,
          Prefix: input.Prefix ?? '',
          Delimiter: input.Delimiter,
          MaxKeys: limit,
          KeyCount: shown.length + prefixes.length,
          IsTruncated: more,
          ContinuationToken: input.ContinuationToken,
          NextContinuationToken: more ? Buffer.from(last).toString('base64url') : undefined,
          StartAfter: input.StartAfter,
          EncodingType: input.EncodingType,
          Contents: shown.map(({ version }) => summary(encode(input), version)),
          CommonPrefixes: prefixes.map((Prefix) => ({ Prefix: encode(input)(Prefix) })),
        };
      },
    ),
    ListObjectVersions: operation<S3.ListObjectVersionsCommandInput, S3.ListObjectVersionsCommandOutput>(
      [
        'Bucket',
        'Prefix',
        'Delimiter',
        'MaxKeys',
        'KeyMarker',
        'VersionIdMarker',
        'EncodingType',
        'ExpectedBucketOwner',
        'RequestPayer',
      ],
      access('s3:ListBucketVersions'),
      (input) => {
        const bucket = buckets.find(input.Bucket);
        const all = entries(bucket, input.Prefix).flatMap(([key, versions]) =>
          versions.toReversed().map((version, index) => ({ key, version, latest: index === 0 })),
        );
        const start = input.VersionIdMarker
          ? all.findIndex(({ key, version }) => key === input.KeyMarker && version.id === input.VersionIdMarker) + 1
          : 0;
        const limit = Math.min(input.MaxKeys ?? PAGE, PAGE);
        const { shown, prefixes, more } = fold(
          all.slice(start),
          input,
          input.VersionIdMarker ? undefined : input.KeyMarker,
          limit,
        );
        const last = shown.at(-1);
        const described = ({ version, latest }: (typeof shown)[number]) => ({
          Key: encode(input)(version.key),
          VersionId: version.id,
          IsLatest: latest,
          LastModified: version.modifiedAt,
        });
        return {
          Name: bucket.name,
          Prefix: input.Prefix ?? '',
          Delimiter: input.Delimiter,
          MaxKeys: limit,
          IsTruncated: more,
          KeyMarker: input.KeyMarker ?? '',
          VersionIdMarker: input.VersionIdMarker,
          EncodingType: input.EncodingType,
          ...(more && { NextKeyMarker: last?.key, NextVersionIdMarker: last?.version.id }),
          Versions: shown
            .filter(({ version }) => !version.marker)
            .map((each) => ({ ...summary(encode(input), each.version), ...described(each) })),
          DeleteMarkers: shown.filter(({ version }) => version.marker).map(described),
          CommonPrefixes: prefixes.map((Prefix) => ({ Prefix: encode(input)(Prefix) })),
        };
      },
    ),
  };
}

/** Keys in UTF-8 byte order, as S3 lists them. */
function entries(bucket: Bucket, prefix = ''): [string, ObjectVersion[]][] {
  return [...bucket.objects]
    .filter(([key]) => key.startsWith(prefix))
    .toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** One page after `after`: elements, and the prefixes that stand for what lies beyond the delimiter. */
function fold<T extends { key: string }>(
  all: readonly T[],
  input: { Prefix?: string | undefined; Delimiter?: string | undefined },
  after: string | undefined,
  limit: number,
) {
  const shown: T[] = [];
  const prefixes = new Set<string>();
  let last = '';
  for (const element of all) {
    const prefix = commonPrefix(element.key, input);
    const position = prefix ?? element.key;
    if (after !== undefined && Buffer.compare(Buffer.from(position), Buffer.from(after)) <= 0) continue;
    if (prefix !== undefined && prefixes.has(prefix)) continue;
    if (shown.length + prefixes.size === limit) return { shown, prefixes: [...prefixes], last, more: true };
    if (prefix === undefined) shown.push(element);
    else prefixes.add(prefix);
    last = position;
  }
  return { shown, prefixes: [...prefixes], last, more: false };
}

function commonPrefix(
  key: string,
  { Prefix = '', Delimiter }: { Prefix?: string | undefined; Delimiter?: string | undefined },
): string | undefined {
  const end = Delimiter ? key.indexOf(Delimiter, Prefix.length) : -1;
  return end < 0 ? undefined : key.slice(0, end + (Delimiter?.length ?? 0));
}

const encode =
  ({ EncodingType }: { EncodingType?: string | undefined }) =>
  (key: string): string =>
    EncodingType === 'url' ? encodeURIComponent(key).replaceAll('%2F', '/') : key;

const summary = (encoded: (key: string) => string, version: ObjectVersion) => ({
  Key: encoded(version.key),
  LastModified: version.modifiedAt,
  ETag: `"${version.etag}"`,
  Size: version.size,
  StorageClass: ((version.headers.StorageClass as string | undefined) ?? 'STANDARD') as 'STANDARD',
});
