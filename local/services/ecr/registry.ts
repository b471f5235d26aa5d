/** The registry of one Region: repositories and their images, by digest. */
import { createHash } from 'node:crypto';
import type { ImageIdentifier, ReplicationRule } from '@aws-sdk/client-ecr';
import { AwsError, type Home } from '../../kernel.ts';

export interface Image {
  readonly digest: string;
  readonly manifest: string;
  readonly mediaType: string;
  readonly bytes: number;
  readonly pushedAt: number;
  readonly tags: Set<string>;
}

export interface Repository {
  readonly name: string;
  readonly createdAt: number;
  /** A tag stays with its image. */
  readonly isImmutable: boolean;
  /** By digest. */
  readonly images: Map<string, Image>;
}

const ociManifest = 'application/vnd.oci.image.manifest.v1+json';

export class Registry {
  readonly #home: Home;
  readonly #repositories = new Map<string, Repository>();
  rules: readonly ReplicationRule[] = [];

  constructor(home: Home) {
    this.#home = home;
  }

  all(): readonly Repository[] {
    return [...this.#repositories.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  has(name: string): boolean {
    return this.#repositories.has(name);
  }

  find(name: string): Repository {
    const found = this.#repositories.get(name);
    if (found === undefined) {
      throw new AwsError(
        'RepositoryNotFoundException',
        `The repository with name '${name}' does not exist in the registry with id '${this.#home.account}'`,
      );
    }
    return found;
  }

  create(name: string, isImmutable: boolean): Repository {
    if (!/^[a-z0-9]+([._/-][a-z0-9]+)*$/.test(name) || name.length < 2 || name.length > 256)
      throw new AwsError('InvalidParameterException', `Invalid parameter at 'repositoryName': ${name}`);
    if (this.has(name))
      throw new AwsError('RepositoryAlreadyExistsException', `The repository with name '${name}' already exists`);
    const repository = { name, createdAt: this.#home.clock.now(), isImmutable, images: new Map() };
    this.#repositories.set(name, repository);
    return repository;
  }

  /** A tag moves to the image, unless the repository forbids it. */
  put(
    repository: Repository,
    { manifest, mediaType = ociManifest }: { readonly manifest: string; readonly mediaType?: string | undefined },
    tag: string | undefined,
    expected?: string,
  ): Image {
    const digest = `sha256:${createHash('sha256').update(manifest).digest('hex')}`;
    if (expected !== undefined && expected !== digest)
      throw new AwsError('ImageDigestDoesNotMatchException', `The manifest has the digest ${digest}`);
    const known = repository.images.get(digest);
    if (known !== undefined && (tag === undefined || known.tags.has(tag)))
      throw new AwsError('ImageAlreadyExistsException', `Image with digest '${digest}' already exists`);
    const before = [...repository.images.values()].find(({ tags }) => tag !== undefined && tags.has(tag));
    if (before !== undefined && repository.isImmutable)
      throw new AwsError('ImageTagAlreadyExistsException', `The image tag '${tag}' already exists`);
    const image = known ?? {
      digest,
      manifest,
      mediaType,
      bytes: sizeOf(manifest),
      pushedAt: this.#home.clock.now(),
      tags: new Set<string>(),
    };
    if (tag !== undefined) {
      before?.tags.delete(tag);
      image.tags.add(tag);
    }
    repository.images.set(digest, image);
    return image;
  }

  image(repository: Repository, { imageDigest, imageTag }: ImageIdentifier): Image {
    const found = [...repository.images.values()].find(
      ({ digest, tags }) =>
        (imageDigest === undefined || digest === imageDigest) && (imageTag === undefined || tags.has(imageTag)),
    );
    if (found === undefined || (imageDigest ?? imageTag) === undefined) {
      throw new AwsError(
        'ImageNotFoundException',
        `The image with imageId {imageDigest:'${imageDigest}', imageTag:'${imageTag}'} does not exist within the repository with name '${repository.name}'`,
      );
    }
    return found;
  }

  /** By its digest an image goes, with every tag; by a tag only when that is its last. False: there is none. */
  remove(repository: Repository, id: ImageIdentifier): boolean {
    const image = [...repository.images.values()].find(
      ({ digest, tags }) => digest === id.imageDigest || (id.imageTag !== undefined && tags.has(id.imageTag)),
    );
    if (image === undefined) return false;
    if (id.imageDigest === undefined) image.tags.delete(id.imageTag ?? '');
    if (id.imageDigest !== undefined || image.tags.size === 0) repository.images.delete(image.digest);
    return true;
  }

  replicateBy(rules: readonly ReplicationRule[]): void {
    for (const { region, registryId } of rules.flatMap(({ destinations = [] }) => destinations)) {
      if (registryId !== this.#home.account)
        throw new AwsError('NotImplemented', 'The embedded cloud has one account: no replication to another');
      if (region === this.#home.region || !this.#home.regions.includes(region ?? ''))
        throw new AwsError('InvalidParameterException', `Invalid destination Region: ${region}`);
    }
    this.rules = rules;
  }

  /** The Regions that a repository's images go to; a rule without filters is for all. */
  destinationsOf(name: string): readonly string[] {
    const applying = this.rules.filter(
      ({ repositoryFilters: filters }) =>
        !filters?.length || filters.some(({ filter }) => filter !== undefined && name.startsWith(filter)),
    );
    return [...new Set(applying.flatMap(({ destinations = [] }) => destinations.map(({ region }) => region ?? '')))];
  }
}

/** What the manifest says its configuration and layers weigh. */
function sizeOf(manifest: string): number {
  try {
    const { config, layers = [] } = JSON.parse(manifest) as {
      config?: { size?: number };
      layers?: { size?: number }[];
    };
    return [config, ...layers].reduce((sum, part) => sum + (part?.size ?? 0), 0);
  } catch {
    throw new AwsError('InvalidParameterException', "Invalid parameter at 'ImageManifest': it is no JSON");
  }
}
