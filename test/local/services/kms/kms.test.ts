import { afterAll, beforeAll, expect, test } from 'vitest';
import { kms } from '../../../../local/services/kms/index.ts';
import { manualClock } from '../fake-home.ts';
import { storage } from '../storage-home.ts';

const cloud = storage([kms]);
beforeAll(() => cloud.ready);
afterAll(() => cloud.stop());
const call = (operation: string, input: object) => cloud.call('kms', operation, input);
const newKey = async (): Promise<string> => (await call('CreateKey', {})).KeyMetadata.Arn;

test('decrypts what it encrypted, in the same encryption context only', async () => {
  const KeyId = await newKey();
  const { CiphertextBlob } = await call('Encrypt', {
    KeyId,
    Plaintext: Buffer.from('hello'),
    EncryptionContext: { a: '1', b: '2' },
  });
  expect(Buffer.from(CiphertextBlob).toString('latin1')).not.toContain('hello');
  const { Plaintext } = await call('Decrypt', { CiphertextBlob, EncryptionContext: { b: '2', a: '1' } });
  expect(Plaintext.toString()).toBe('hello');
  await expect(call('Decrypt', { CiphertextBlob })).rejects.toMatchObject({ code: 'InvalidCiphertextException' });
});

test('a data key comes in plain and encrypted under the key', async () => {
  const KeyId = await newKey();
  const { Plaintext, CiphertextBlob } = await call('GenerateDataKey', { KeyId, KeySpec: 'AES_256' });
  expect(Plaintext).toHaveLength(32);
  expect((await call('Decrypt', { CiphertextBlob })).Plaintext).toEqual(Plaintext);
});

test('a disabled key refuses, and works again when enabled', async () => {
  const KeyId = await newKey();
  await call('DisableKey', { KeyId });
  await expect(call('GenerateDataKey', { KeyId, KeySpec: 'AES_256' })).rejects.toMatchObject({
    code: 'DisabledException',
  });
  await call('EnableKey', { KeyId });
  await call('GenerateDataKey', { KeyId, KeySpec: 'AES_256' });
});

test('a key to be deleted refuses, and comes back disabled', async () => {
  const KeyId = await newKey();
  await call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
  await expect(call('Encrypt', { KeyId, Plaintext: Buffer.from('x') })).rejects.toMatchObject({
    code: 'KMSInvalidStateException',
  });
  await call('CancelKeyDeletion', { KeyId });
  expect((await call('DescribeKey', { KeyId })).KeyMetadata).toMatchObject({ KeyState: 'Disabled', Enabled: false });
});

test('a key to be deleted takes no change until that is cancelled', async () => {
  const KeyId = await newKey();
  await expect(call('CancelKeyDeletion', { KeyId })).rejects.toMatchObject({ code: 'KMSInvalidStateException' });
  for (const PendingWindowInDays of [6, 31])
    await expect(call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays })).rejects.toMatchObject({
      code: 'ValidationException',
    });
  expect(await call('ScheduleKeyDeletion', { KeyId })).toMatchObject({
    KeyState: 'PendingDeletion',
    PendingWindowInDays: 30,
  });
  for (const [operation, input] of [
    ['EnableKey', {}],
    ['DisableKey', {}],
    ['ScheduleKeyDeletion', {}],
    ['TagResource', { Tags: [{ TagKey: 'a', TagValue: 'b' }] }],
  ] as const)
    await expect(call(operation, { KeyId, ...input }), operation).rejects.toMatchObject({
      code: 'KMSInvalidStateException',
    });
  expect((await call('DescribeKey', { KeyId })).KeyMetadata).toMatchObject({ DeletionDate: expect.any(Date) });
  await call('CancelKeyDeletion', { KeyId });
  await call('EnableKey', { KeyId });
  await call('GenerateDataKey', { KeyId, KeySpec: 'AES_256' });
  expect((await call('DescribeKey', { KeyId })).KeyMetadata.DeletionDate).toBeUndefined();
});

test('after its waiting period a key is gone, and its aliases with it; how long it waits is asked of IAM', async () => {
  const clock = manualClock();
  const later = storage([kms], { clock });
  await later.ready;
  const KeyId = (await later.call('kms', 'CreateKey', {})).KeyMetadata.KeyId;
  await later.call('kms', 'CreateAlias', { AliasName: 'alias/state', TargetKeyId: KeyId });
  const input = { KeyId, PendingWindowInDays: 7 };
  expect(await later.access('kms', 'ScheduleKeyDeletion', input)).toMatchObject([
    { action: 'kms:ScheduleKeyDeletion', conditions: { 'kms:ScheduleKeyDeletionPendingWindowInDays': '7' } },
  ]);
  await later.call('kms', 'ScheduleKeyDeletion', input);
  await clock.advance(7 * 86_400_000 - 1);
  expect((await later.call('kms', 'DescribeKey', { KeyId: 'alias/state' })).KeyMetadata.KeyState).toBe(
    'PendingDeletion',
  );
  await clock.advance(1);
  for (const gone of [KeyId, 'alias/state'])
    await expect(later.call('kms', 'DescribeKey', { KeyId: gone })).rejects.toMatchObject({
      code: 'NotFoundException',
    });
  await later.stop();
});

test('an alias resolves to its key, whose ARN it presents to IAM', async () => {
  const arn = await newKey();
  await call('CreateAlias', { AliasName: 'alias/mine', TargetKeyId: arn });
  expect(await cloud.access('kms', 'Encrypt', { KeyId: 'alias/mine', EncryptionContext: { a: '1' } })).toMatchObject([
    {
      action: 'kms:Encrypt',
      resources: [arn],
      conditions: { 'kms:RequestAlias': 'alias/mine', 'kms:EncryptionContext:a': '1' },
    },
  ]);
  await expect(call('DescribeKey', { KeyId: 'alias/none' })).rejects.toMatchObject({ code: 'NotFoundException' });
});

test("a grant widens the key's policy until it is revoked", async () => {
  const KeyId = await newKey();
  const statements = () => cloud.service('kms').resourcePolicy?.(KeyId)?.Statement ?? [];
  const before = statements().length;
  const { GrantId } = await call('CreateGrant', {
    KeyId,
    GranteePrincipal: 'arn:aws:iam::111122223333:role/r',
    Operations: ['Decrypt'],
  });
  expect(statements().at(-1)).toMatchObject({
    Action: ['kms:Decrypt'],
    Principal: { AWS: 'arn:aws:iam::111122223333:role/r' },
  });
  await call('RevokeGrant', { KeyId, GrantId });
  expect(statements()).toHaveLength(before);
});

test('a key policy that IAM would not take is refused by the name that KMS has for it', async () => {
  const KeyId = await newKey();
  const put = (statement: object) =>
    call('PutKeyPolicy', { KeyId, Policy: JSON.stringify({ Version: '2012-10-17', Statement: [statement] }) });
  const allow = { Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' };
  await put(allow);
  await expect(put({ ...allow, Effect: 'Permit' })).rejects.toMatchObject({
    code: 'MalformedPolicyDocumentException',
    message: 'Effect is Permit, not Allow or Deny.',
  });
  await expect(call('PutKeyPolicy', { KeyId, Policy: '{' })).rejects.toMatchObject({
    code: 'MalformedPolicyDocumentException',
  });
});

test('a template that asks for what is not honoured is refused by name', async () => {
  await expect(async () =>
    cloud.deploy('kms', 'AWS::KMS::Key', { KeyPolicy: { Statement: [] }, Origin: 'EXTERNAL' }),
  ).rejects.toThrow(/Origin/);
  const { attributes } = await cloud.deploy('kms', 'AWS::KMS::Key', {
    KeyPolicy: { Statement: [] },
    EnableKeyRotation: true,
  });
  expect(await call('GetKeyRotationStatus', { KeyId: attributes?.Arn })).toMatchObject({
    KeyRotationEnabled: true,
    RotationPeriodInDays: 365,
  });
});
