import { afterAll, beforeAll, expect, test } from 'vitest';
import { kms } from '../../../../local/services/kms/index.ts';
import { secretsManager } from '../../../../local/services/secrets-manager/index.ts';
import { manualClock, operator } from '../fake-home.ts';
import { OTHER_REGION, storage } from '../storage-home.ts';

const cloud = storage([kms, secretsManager]);
beforeAll(() => cloud.ready);
afterAll(() => cloud.stop());
const call = (operation: string, input: object, region?: string) =>
  cloud.call('secrets-manager', operation, input, operator, region);

test('a new value becomes current and keeps the old one as previous', async () => {
  await call('CreateSecret', { Name: 'db', SecretString: 'one' });
  await call('PutSecretValue', { SecretId: 'db', SecretString: 'two' });
  expect(await call('GetSecretValue', { SecretId: 'db' })).toMatchObject({
    SecretString: 'two',
    VersionStages: ['AWSCURRENT'],
  });
  expect(await call('GetSecretValue', { SecretId: 'db', VersionStage: 'AWSPREVIOUS' })).toMatchObject({
    SecretString: 'one',
  });
});

test('a value put as pending leaves the current one until its stage is moved', async () => {
  const { VersionId: first } = await call('CreateSecret', { Name: 'rotating', SecretString: 'one' });
  const { VersionId: second } = await call('PutSecretValue', {
    SecretId: 'rotating',
    SecretString: 'two',
    VersionStages: ['AWSPENDING'],
  });
  expect(await call('GetSecretValue', { SecretId: 'rotating' })).toMatchObject({ SecretString: 'one' });
  await call('UpdateSecretVersionStage', {
    SecretId: 'rotating',
    VersionStage: 'AWSCURRENT',
    MoveToVersionId: second,
    RemoveFromVersionId: first,
  });
  expect(await call('GetSecretValue', { SecretId: 'rotating' })).toMatchObject({ SecretString: 'two' });
});

test('presents the full ARN with its suffix, and the customer key, where the request gives a name', async () => {
  const key = (await cloud.call('kms', 'CreateKey', {})).KeyMetadata.Arn;
  const { ARN } = await call('CreateSecret', { Name: 'keyed', SecretString: 'x', KmsKeyId: key });
  expect(ARN).toMatch(/:secret:keyed-[A-Za-z0-9]{6}$/);
  expect(await cloud.access('secrets-manager', 'GetSecretValue', { SecretId: 'keyed' })).toMatchObject([
    {
      action: 'secretsmanager:GetSecretValue',
      resources: [ARN],
      conditions: { 'secretsmanager:VersionStage': 'AWSCURRENT' },
    },
    { action: 'kms:Decrypt', resources: [key], conditions: { 'kms:EncryptionContext:SecretARN': ARN } },
  ]);
  await cloud.call('kms', 'DisableKey', { KeyId: key });
  await expect(call('GetSecretValue', { SecretId: 'keyed' })).rejects.toMatchObject({ code: 'DecryptionFailure' });
});

test('a replica follows its primary and refuses changes of its own', async () => {
  await call('CreateSecret', {
    Name: 'replicated',
    SecretString: 'one',
    AddReplicaRegions: [{ Region: OTHER_REGION }],
  });
  await call('PutSecretValue', { SecretId: 'replicated', SecretString: 'two' });
  expect(await call('GetSecretValue', { SecretId: 'replicated' }, OTHER_REGION)).toMatchObject({
    SecretString: 'two',
    ARN: expect.stringContaining(OTHER_REGION),
  });
  await expect(
    call('PutSecretValue', { SecretId: 'replicated', SecretString: 'x' }, OTHER_REGION),
  ).rejects.toMatchObject({ code: 'InvalidRequestException' });
  expect(await call('DescribeSecret', { SecretId: 'replicated' })).toMatchObject({
    ReplicationStatus: [{ Region: OTHER_REGION, Status: 'InSync' }],
  });
});

test('a deleted secret cannot be read until it is restored; a forced deletion is final', async () => {
  await call('CreateSecret', { Name: 'gone', SecretString: 'x' });
  await call('DeleteSecret', { SecretId: 'gone', RecoveryWindowInDays: 7 });
  await expect(call('GetSecretValue', { SecretId: 'gone' })).rejects.toMatchObject({ code: 'InvalidRequestException' });
  await call('RestoreSecret', { SecretId: 'gone' });
  expect(await call('GetSecretValue', { SecretId: 'gone' })).toMatchObject({ SecretString: 'x' });
  await call('DeleteSecret', { SecretId: 'gone', ForceDeleteWithoutRecovery: true });
  await expect(call('DescribeSecret', { SecretId: 'gone' })).rejects.toMatchObject({
    code: 'ResourceNotFoundException',
  });
});

test('a deletion says until when it can be taken back, and leaves a secret that can be described and not listed', async () => {
  await call('CreateSecret', { Name: 'marked', SecretString: 'x' });
  for (const RecoveryWindowInDays of [6, 31])
    await expect(call('DeleteSecret', { SecretId: 'marked', RecoveryWindowInDays })).rejects.toMatchObject({
      code: 'InvalidParameterException',
    });
  const { DeletionDate } = await call('DeleteSecret', { SecretId: 'marked', RecoveryWindowInDays: 7 });
  expect(DeletionDate.getTime() - Date.now()).toBeGreaterThan(6.9 * 86_400_000);
  expect(await call('DescribeSecret', { SecretId: 'marked' })).toMatchObject({ DeletedDate: expect.any(Date) });
  await expect(call('PutSecretValue', { SecretId: 'marked', SecretString: 'y' })).rejects.toMatchObject({
    code: 'InvalidRequestException',
  });
  const named = async (more: object) =>
    (await call('ListSecrets', more)).SecretList.map(({ Name }: { Name: string }) => Name);
  expect(await named({})).not.toContain('marked');
  expect(await named({ IncludePlannedDeletion: true })).toContain('marked');
  await call('RestoreSecret', { SecretId: 'marked' });
  expect((await call('DescribeSecret', { SecretId: 'marked' })).DeletedDate).toBeUndefined();
});

test('a secret with replicas is deleted only after them, which are gone at once', async () => {
  await call('CreateSecret', { Name: 'both', SecretString: 'x', AddReplicaRegions: [{ Region: OTHER_REGION }] });
  await expect(call('DeleteSecret', { SecretId: 'both' })).rejects.toMatchObject({ code: 'InvalidRequestException' });
  await call('RemoveRegionsFromReplication', { SecretId: 'both', RemoveReplicaRegions: [OTHER_REGION] });
  await expect(call('DescribeSecret', { SecretId: 'both' }, OTHER_REGION)).rejects.toMatchObject({
    code: 'ResourceNotFoundException',
  });
  await call('DeleteSecret', { SecretId: 'both' });
  await call('RestoreSecret', { SecretId: 'both' });
  await call('ReplicateSecretToRegions', { SecretId: 'both', AddReplicaRegions: [{ Region: OTHER_REGION }] });
  expect(await call('GetSecretValue', { SecretId: 'both' }, OTHER_REGION)).toMatchObject({ SecretString: 'x' });
});

test('after its recovery window a secret is gone for good', async () => {
  const clock = manualClock();
  const later = storage([kms, secretsManager], { clock });
  await later.ready;
  await later.call('secrets-manager', 'CreateSecret', { Name: 'late', SecretString: 'x' });
  const input = { SecretId: 'late', RecoveryWindowInDays: 7 };
  expect(await later.access('secrets-manager', 'DeleteSecret', input)).toMatchObject([
    { action: 'secretsmanager:DeleteSecret', conditions: { 'secretsmanager:RecoveryWindowInDays': '7' } },
  ]);
  await later.call('secrets-manager', 'DeleteSecret', input);
  await clock.advance(7 * 86_400_000);
  await expect(later.call('secrets-manager', 'RestoreSecret', { SecretId: 'late' })).rejects.toMatchObject({
    code: 'ResourceNotFoundException',
  });
  await later.stop();
});

test('a template generates a password into its key', async () => {
  const { ref } = await cloud.deploy('secrets-manager', 'AWS::SecretsManager::Secret', {
    GenerateSecretString: {
      SecretStringTemplate: '{"username":"app"}',
      GenerateStringKey: 'password',
      ExcludePunctuation: true,
      PasswordLength: 20,
    },
  });
  const value = JSON.parse((await call('GetSecretValue', { SecretId: ref })).SecretString);
  expect(value).toMatchObject({ username: 'app', password: expect.stringMatching(/^[A-Za-z0-9]{20}$/) });
});
