/** Amazon ECR: repositories, images by digest, replication to other Regions. Layers are not kept: no image is pulled here. */
import { randomUUID } from 'node:crypto';
import type * as sdk from '@aws-sdk/client-ecr';
import type { Home, Operation, Service, ServiceDefinition } from '../../kernel.ts';
import { operation, page } from '../declare.ts';
import { type Image, Registry, type Repository } from './registry.ts';

export interface EcrService extends Service {
  readonly registry: Registry;
}

export const ecr: ServiceDefinition = {
  name: 'ecr',
  sdk: '@aws-sdk/client-ecr',
  create(home): EcrService {
    const registry = new Registry(home);
    const ended = new AbortController();
    const operations = { ...repositoryOperations(home, registry), ...imageOperations(home, registry, ended.signal) };
    return { registry, operations, stop: () => ended.abort() };
  },
};

/** How long an image takes to another Region: a minute or so where AWS promises half an hour. */
const replicationMs = 60_000;

const onRepository =
  (home: Home, action: string) =>
  ({ repositoryName }: { repositoryName?: string | undefined }) => ({
    action: `ecr:${action}`,
    resources: [arnOf(home, repositoryName ?? '*')],
  });
const arnOf = (home: Home, name: string) => `arn:aws:ecr:${home.region}:${home.account}:repository/${name}`;
const onRegistry = (action: string) => () => ({ action: `ecr:${action}`, resources: ['*'] });

function repositoryOperations(home: Home, registry: Registry): Record<string, Operation> {
  const show = (repository: Repository): sdk.Repository => ({
    registryId: home.account,
    repositoryName: repository.name,
    repositoryArn: arnOf(home, repository.name),
    repositoryUri: `${home.account}.dkr.ecr.${home.region}.amazonaws.com/${repository.name}`,
    createdAt: new Date(repository.createdAt),
    imageTagMutability: repository.isImmutable ? 'IMMUTABLE' : 'MUTABLE',
    imageScanningConfiguration: { scanOnPush: false },
    encryptionConfiguration: { encryptionType: 'AES256' },
  });
  return {
    CreateRepository: operation<sdk.CreateRepositoryCommandInput, sdk.CreateRepositoryCommandOutput>(
      ['repositoryName', 'imageTagMutability'],
      onRepository(home, 'CreateRepository'),
      ({ repositoryName = '', imageTagMutability }) => ({
        repository: show(registry.create(repositoryName, imageTagMutability === 'IMMUTABLE')),
      }),
    ),
    DescribeRepositories: operation<sdk.DescribeRepositoriesCommandInput, sdk.DescribeRepositoriesCommandOutput>(
      ['registryId', 'repositoryNames', 'maxResults', 'nextToken'],
      ({ repositoryNames = ['*'] }) => ({
        action: 'ecr:DescribeRepositories',
        resources: repositoryNames.map((name) => arnOf(home, name)),
      }),
      ({ repositoryNames, maxResults = 100, nextToken }) => {
        const found = repositoryNames?.map((name) => registry.find(name)) ?? registry.all();
        const { items, next } = page(found.map(show), nextToken, maxResults);
        return { repositories: items, ...(next && { nextToken: next }) };
      },
    ),
    PutReplicationConfiguration: operation<
      sdk.PutReplicationConfigurationCommandInput,
      sdk.PutReplicationConfigurationCommandOutput
    >(['replicationConfiguration'], onRegistry('PutReplicationConfiguration'), ({ replicationConfiguration }) => {
      registry.replicateBy(replicationConfiguration?.rules ?? []);
      return { replicationConfiguration };
    }),
    DescribeRegistry: operation<sdk.DescribeRegistryCommandInput, sdk.DescribeRegistryCommandOutput>(
      [],
      onRegistry('DescribeRegistry'),
      () => ({ registryId: home.account, replicationConfiguration: { rules: [...registry.rules] } }),
    ),
  };
}

function imageOperations(home: Home, registry: Registry, ended: AbortSignal): Record<string, Operation> {
  return {
    PutImage: operation<sdk.PutImageCommandInput, sdk.PutImageCommandOutput>(
      ['registryId', 'repositoryName', 'imageManifest', 'imageManifestMediaType', 'imageTag', 'imageDigest'],
      onRepository(home, 'PutImage'),
      (input) => {
        const repository = registry.find(input.repositoryName ?? '');
        const { imageManifest: manifest = '', imageTag: tag, imageManifestMediaType: mediaType } = input;
        const image = registry.put(repository, { manifest, mediaType }, tag, input.imageDigest);
        // An image that its Region could not send stays where it is: it is not tried again.
        replicate(home, registry, repository, image, tag, ended).catch(() => {});
        return {
          image: {
            registryId: home.account,
            repositoryName: repository.name,
            imageId: { imageDigest: image.digest, ...(tag !== undefined && { imageTag: tag }) },
            imageManifest: manifest,
            imageManifestMediaType: image.mediaType,
          },
        };
      },
    ),
    DescribeImages: operation<sdk.DescribeImagesCommandInput, sdk.DescribeImagesCommandOutput>(
      ['registryId', 'repositoryName', 'imageIds', 'filter', 'maxResults', 'nextToken'],
      onRepository(home, 'DescribeImages'),
      ({ repositoryName = '', imageIds, filter, maxResults = 100, nextToken }) => {
        const repository = registry.find(repositoryName);
        const chosen = imageIds?.map((id) => registry.image(repository, id)) ?? [...repository.images.values()];
        const { tagStatus = 'ANY' } = filter ?? {};
        const found = chosen.filter(({ tags }) => tagStatus === 'ANY' || (tagStatus === 'TAGGED') === tags.size > 0);
        const { items, next } = page(found, nextToken, maxResults);
        return {
          imageDetails: items.map((image) => showImage(home, repository, image)),
          ...(next && { nextToken: next }),
        };
      },
    ),
    BatchDeleteImage: operation<sdk.BatchDeleteImageCommandInput, sdk.BatchDeleteImageCommandOutput>(
      ['registryId', 'repositoryName', 'imageIds'],
      onRepository(home, 'BatchDeleteImage'),
      ({ repositoryName = '', imageIds = [] }) => {
        const repository = registry.find(repositoryName);
        const deleted: sdk.ImageIdentifier[] = [];
        const failures: sdk.ImageFailure[] = [];
        for (const imageId of imageIds)
          if (registry.remove(repository, imageId)) deleted.push(imageId);
          else failures.push({ imageId, failureCode: 'ImageNotFound', failureReason: 'Requested image not found' });
        return { imageIds: deleted, failures };
      },
    ),
  };
}

const showImage = (home: Home, repository: Repository, image: Image): sdk.ImageDetail => ({
  registryId: home.account,
  repositoryName: repository.name,
  imageDigest: image.digest,
  ...(image.tags.size > 0 && { imageTags: [...image.tags] }),
  imageSizeInBytes: image.bytes,
  imagePushedAt: new Date(image.pushedAt),
  imageManifestMediaType: image.mediaType,
});

/** Only what is pushed while a rule says so; the repository there is made where it is missing (User Guide, "Private image replication"). */
async function replicate(
  home: Home,
  registry: Registry,
  { name }: Repository,
  image: Image,
  tag: string | undefined,
  ended: AbortSignal,
): Promise<void> {
  const regions = registry.destinationsOf(name);
  if (regions.length === 0) return;
  await home.clock.sleep(replicationMs, ended);
  const principal = { kind: 'service', service: 'replication.ecr.amazonaws.com' } as const;
  for (const region of regions) {
    const call = { account: home.account, region, principal, requestId: randomUUID() };
    await home.faults.before('ecr', 'ReplicateImage', { repositoryName: name }, call);
    const there = (home.service('ecr', region) as EcrService).registry;
    const repository = there.has(name) ? there.find(name) : there.create(name, false);
    if (repository.images.get(image.digest)?.tags.has(tag ?? '') !== true) there.put(repository, image, tag);
  }
}
