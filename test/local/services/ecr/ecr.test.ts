import { afterAll, beforeAll, expect, test } from 'vitest';
import { scaledClock } from '../../../../local/clock.ts';
import { createFaults } from '../../../../local/faults.ts';
import { AwsError } from '../../../../local/kernel.ts';
import { ecr } from '../../../../local/services/ecr/index.ts';
import { ACCOUNT, arnOf, operator } from '../fake-home.ts';
import { OTHER_REGION, storage } from '../storage-home.ts';

const clock = scaledClock(6000);
const faults = createFaults(clock);
const cloud = storage([ecr], { clock, faults });
beforeAll(() => cloud.ready);
afterAll(() => cloud.stop());
const call = (operation: string, input: object, region?: string) =>
  cloud.call('ecr', operation, input, operator, region);

const manifest = (layer: number) =>
  JSON.stringify({ schemaVersion: 2, config: { size: 100 }, layers: [{ size: layer }, { size: 50 }] });
const push = (repositoryName: string, layer: number, imageTag?: string) =>
  call('PutImage', { repositoryName, imageManifest: manifest(layer), imageTag });
const digestOf = async (repositoryName: string, imageTag: string, region?: string) =>
  (await call('DescribeImages', { repositoryName, imageIds: [{ imageTag }] }, region)).imageDetails[0].imageDigest;
const replicate = (rules: object[]) => call('PutReplicationConfiguration', { replicationConfiguration: { rules } });
const there = { destinations: [{ region: OTHER_REGION, registryId: ACCOUNT }] };

test('an image is known by the digest of its manifest, a tag moves to the newest', async () => {
  await call('CreateRepository', { repositoryName: 'api' });
  const { image } = await push('api', 1, 'v1');
  expect(image.imageId.imageDigest).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(await digestOf('api', 'v1')).toBe(image.imageId.imageDigest);
  await push('api', 2, 'v1');
  expect(await digestOf('api', 'v1')).not.toBe(image.imageId.imageDigest);
  const { imageDetails } = await call('DescribeImages', { repositoryName: 'api', filter: { tagStatus: 'UNTAGGED' } });
  expect(imageDetails).toMatchObject([{ imageDigest: image.imageId.imageDigest, imageSizeInBytes: 151 }]);
  await expect(push('api', 2, 'v1')).rejects.toMatchObject({ code: 'ImageAlreadyExistsException' });
  expect((await call('DescribeRepositories', {})).repositories).toMatchObject([
    { repositoryName: 'api', repositoryArn: arnOf('ecr', 'repository/api'), imageTagMutability: 'MUTABLE' },
  ]);
});

test('an immutable tag stays', async () => {
  await call('CreateRepository', { repositoryName: 'fixed', imageTagMutability: 'IMMUTABLE' });
  await push('fixed', 1, 'v1');
  await expect(push('fixed', 2, 'v1')).rejects.toMatchObject({ code: 'ImageTagAlreadyExistsException' });
});

test('images that are pushed under a rule come to the other Region by the same digest; earlier ones do not', async () => {
  await replicate([{ ...there, repositoryFilters: [{ filter: 'ap', filterType: 'PREFIX_MATCH' }] }]);
  await push('api', 3, 'v2');
  await expect
    .poll(() => digestOf('api', 'v2', OTHER_REGION).catch(({ code }) => code))
    .toBe(await digestOf('api', 'v2'));
  await expect(digestOf('api', 'v1', OTHER_REGION)).rejects.toMatchObject({ code: 'ImageNotFoundException' });
  await push('fixed', 9, 'v9');
  await push('api', 4, 'v3'); // later, and there: the other would be there too
  await expect
    .poll(() => digestOf('api', 'v3', OTHER_REGION).catch(({ code }) => code))
    .toBe(await digestOf('api', 'v3'));
  await expect(digestOf('fixed', 'v9', OTHER_REGION)).rejects.toMatchObject({ code: 'RepositoryNotFoundException' });
  expect(await call('DescribeRegistry', {})).toMatchObject({ replicationConfiguration: { rules: [there] } });
});

test('a Region that does not answer misses the image', async () => {
  await replicate([there]);
  let asked = 0;
  faults.inject({
    service: 'ecr',
    operation: '*',
    where: (_, { region }) => region === OTHER_REGION && ++asked > 0,
    effect: { kind: 'throw', error: new AwsError('ServiceUnavailable', 'dark') },
  });
  await push('api', 5, 'v4');
  await expect.poll(() => asked).toBe(1);
  await expect(digestOf('api', 'v4', OTHER_REGION)).rejects.toMatchObject({ code: 'ImageNotFoundException' });
});

test.each([
  {
    case: 'to another account',
    rules: [{ destinations: [{ region: OTHER_REGION, registryId: '1' }] }],
    code: 'NotImplemented',
  },
  {
    case: 'to itself',
    rules: [{ destinations: [{ region: 'us-east-1', registryId: ACCOUNT }] }],
    code: 'InvalidParameterException',
  },
])('replication $case is refused', async ({ rules, code }) => {
  await expect(replicate(rules)).rejects.toMatchObject({ code });
});

test('every call presents its repository to IAM', async () => {
  const resources = async (operation: string, input: object) =>
    (await cloud.access('ecr', operation, input)).map(({ action, resources: [first] }) => `${action} ${first}`);
  expect(await resources('DescribeImages', { repositoryName: 'api' })).toEqual([
    `ecr:DescribeImages ${arnOf('ecr', 'repository/api')}`,
  ]);
  expect(await resources('DescribeRepositories', {})).toEqual([
    `ecr:DescribeRepositories ${arnOf('ecr', 'repository/*')}`,
  ]);
});
