/** The buckets of one Region, their settings, and the versions of their objects. Large bodies are files; everything else is in memory. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AwsError, type Home, type PolicyDocument, type Service } from '../../kernel.ts';

export interface Retention {
  readonly mode: 'GOVERNANCE' | 'COMPLIANCE';
  readonly until: Date;
}

export interface ObjectVersion {
  readonly key: string;
  /** `null` while the bucket was not versioned. */
  readonly id: string;
  readonly marker: boolean;
  readonly body: Uint8Array | { readonly file: string };
  readonly size: number;
  readonly etag: string;
  readonly modifiedAt: Date;
  /** Headers and metadata as the request gave them; shown back. */
  readonly headers: Readonly<Record<string, unknown>>;
  readonly encryption: { readonly algorithm: string; readonly keyId?: string; readonly bucketKey?: boolean };
  readonly tags: Map<string, string>;
  retention?: Retention | undefined;
  legalHold?: boolean;
}

export interface Bucket {
  readonly name: string;
  readonly createdAt: Date;
  /** Key to versions, newest last. */
  readonly objects: Map<string, ObjectVersion[]>;
  versioning?: 'Enabled' | 'Suspended' | undefined;
  objectLock: boolean;
  defaultRetention?: { mode: Retention['mode']; days: number } | undefined;
  encryption: { algorithm: string; keyId?: string; bucketKey?: boolean };
  policy?: PolicyDocument | undefined;
  publicAccessBlock?: object | undefined;
  lifecycle?: unknown;
  eventBridge: boolean;
  tags: Map<string, string>;
}

/** The service object of S3, as its siblings in other Regions see it: bucket names are unique across them. */
export interface S3Service extends Service {
  readonly buckets: Buckets;
}

const DAY = 86_400_000;
/** Bytes of a body that is kept in memory: reports and states are smaller, dumps are not. */
const SMALL = 256 * 1024;

export class Buckets {
  readonly all = new Map<string, Bucket>();
  readonly #home: Home;
  readonly #directory: string;
  constructor(home: Home) {
    this.#home = home;
    this.#directory = join(home.dataDirectory, 's3', home.account, home.region);
    mkdirSync(this.#directory, { recursive: true });
  }

  now(): Date {
    return new Date(this.#home.clock.now());
  }

  create(name: string): Bucket {
    if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name))
      throw new AwsError('InvalidBucketName', `The specified bucket is not valid: ${name}`);
    if (this.all.has(name) || this.#regionOf(name)) {
      throw new AwsError(
        'BucketAlreadyOwnedByYou',
        'Your previous request to create the named bucket succeeded and you already own it.',
      );
    }
    const bucket: Bucket = {
      name,
      createdAt: this.now(),
      objects: new Map(),
      objectLock: false,
      encryption: { algorithm: 'AES256' },
      eventBridge: false,
      tags: new Map(),
    };
    this.all.set(name, bucket);
    return bucket;
  }

  /** Throws NoSuchBucket, or PermanentRedirect naming the Region that has the bucket. */
  find(name: string | undefined): Bucket {
    const bucket = this.all.get(name ?? '');
    if (bucket) return bucket;
    const region = this.#regionOf(name ?? '');
    if (region) {
      throw new AwsError(
        'PermanentRedirect',
        `The bucket you are attempting to access must be addressed using the endpoint of ${region}.`,
        {
          Bucket: name,
          Region: region,
        },
      );
    }
    throw new AwsError('NoSuchBucket', 'The specified bucket does not exist', { BucketName: name });
  }

  /** The newest version, or the one asked for. Throws NoSuchKey or NoSuchVersion; a delete marker is returned, for the caller to judge. */
  version(bucket: Bucket, key: string, versionId?: string): ObjectVersion {
    const versions = bucket.objects.get(key) ?? [];
    const found = versionId ? versions.find(({ id }) => id === versionId) : versions.at(-1);
    if (!found && versionId)
      throw new AwsError('NoSuchVersion', 'The specified version does not exist.', { Key: key, VersionId: versionId });
    if (!found) throw new AwsError('NoSuchKey', 'The specified key does not exist.', { Key: key });
    return found;
  }

  /** Adds a version. Without versioning it takes the place of the `null` version. */
  put(
    bucket: Bucket,
    key: string,
    body: Uint8Array,
    parts: Pick<ObjectVersion, 'etag' | 'headers' | 'encryption'> & Partial<ObjectVersion>,
  ): ObjectVersion {
    const retention = bucket.defaultRetention && {
      mode: bucket.defaultRetention.mode,
      until: new Date(this.now().getTime() + bucket.defaultRetention.days * DAY),
    };
    return this.#add(bucket, {
      marker: false,
      tags: new Map(),
      ...parts,
      retention: parts.retention ?? retention,
      key,
      body: body.length <= SMALL ? Buffer.from(body) : this.#write(body),
      size: body.length,
    });
  }

  putMarker(bucket: Bucket, key: string): ObjectVersion {
    return this.#add(bucket, {
      key,
      marker: true,
      body: Buffer.alloc(0),
      size: 0,
      etag: '',
      headers: {},
      encryption: bucket.encryption,
      tags: new Map(),
    });
  }

  /** Removes a version for good. A version under retention or legal hold is refused. */
  remove(bucket: Bucket, version: ObjectVersion, bypassGovernance: boolean): void {
    const retained = version.retention && version.retention.until.getTime() > this.#home.clock.now();
    if (version.legalHold || (retained && !(version.retention?.mode === 'GOVERNANCE' && bypassGovernance))) {
      throw new AwsError('AccessDenied', 'Access Denied because object protected by object lock.');
    }
    const rest = (bucket.objects.get(version.key) ?? []).filter((each) => each !== version);
    if (rest.length) bucket.objects.set(version.key, rest);
    else bucket.objects.delete(version.key);
    this.#forget(version);
  }

  read({ body }: ObjectVersion): Buffer {
    return 'file' in body ? readFileSync(body.file) : Buffer.from(body);
  }

  #write(body: Uint8Array): { file: string } {
    const file = join(this.#directory, randomUUID());
    writeFileSync(file, body);
    return { file };
  }

  #add(bucket: Bucket, parts: Omit<ObjectVersion, 'id' | 'modifiedAt'>): ObjectVersion {
    const id = bucket.versioning === 'Enabled' ? randomUUID().replaceAll('-', '') : 'null';
    const version: ObjectVersion = { ...parts, id, modifiedAt: this.now() };
    const kept = (bucket.objects.get(version.key) ?? []).filter((each) => each.id !== id || this.#forget(each));
    bucket.objects.set(version.key, [...kept, version]);
    return version;
  }

  /** Always false: for a filter that drops the version that a new one replaces. */
  #forget({ body }: ObjectVersion): boolean {
    if ('file' in body) rmSync(body.file, { force: true });
    return false;
  }

  #regionOf(name: string): string | undefined {
    return this.#home.regions.find(
      (region) => region !== this.#home.region && (this.#home.service('s3', region) as S3Service).buckets.all.has(name),
    );
  }
}
