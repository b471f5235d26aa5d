import { afterAll, beforeAll, expect, test } from 'vitest';
import { kms } from '../../../../local/services/kms/index.ts';
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
