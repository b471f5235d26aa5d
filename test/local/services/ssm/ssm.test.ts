import { afterAll, beforeAll, expect, test } from 'vitest';
import { kms } from '../../../../local/services/kms/index.ts';
import { ssm } from '../../../../local/services/ssm/index.ts';
import { storage } from '../storage-home.ts';

const cloud = storage([kms, ssm]);
beforeAll(() => cloud.ready);
afterAll(() => cloud.stop());
const call = (operation: string, input: object) => cloud.call('ssm', operation, input);

test('a parameter grows versions when overwritten, and refuses to be created twice', async () => {
  await call('PutParameter', { Name: '/a/one', Value: '1', Type: 'String' });
  await expect(call('PutParameter', { Name: '/a/one', Value: '2', Type: 'String' })).rejects.toMatchObject({
    code: 'ParameterAlreadyExists',
  });
  expect(await call('PutParameter', { Name: '/a/one', Value: '2', Overwrite: true })).toMatchObject({ Version: 2 });
  expect((await call('GetParameter', { Name: '/a/one' })).Parameter).toMatchObject({
    Value: '2',
    Version: 2,
    Type: 'String',
  });
  expect((await call('GetParameter', { Name: '/a/one:1' })).Parameter).toMatchObject({ Value: '1', Selector: ':1' });
  await expect(call('GetParameter', { Name: '/a/one:9' })).rejects.toMatchObject({ code: 'ParameterVersionNotFound' });
});

test('a secure string is shown only decrypted, and needs its customer key', async () => {
  const { Arn } = (await cloud.call('kms', 'CreateKey', {})).KeyMetadata;
  await call('PutParameter', { Name: '/s/secret', Value: 'pw', Type: 'SecureString', KeyId: Arn });
  expect((await call('GetParameter', { Name: '/s/secret' })).Parameter.Value).not.toContain('pw');
  expect((await call('GetParameter', { Name: '/s/secret', WithDecryption: true })).Parameter.Value).toBe('pw');
  expect(await cloud.access('ssm', 'GetParameter', { Name: '/s/secret', WithDecryption: true })).toMatchObject([
    { action: 'ssm:GetParameter', resources: ['arn:aws:ssm:us-east-1:111122223333:parameter/s/secret'] },
    { action: 'kms:Decrypt', resources: [Arn], conditions: { 'kms:ViaService': 'ssm.us-east-1.amazonaws.com' } },
  ]);
  await cloud.call('kms', 'DisableKey', { KeyId: Arn });
  await expect(call('GetParameter', { Name: '/s/secret', WithDecryption: true })).rejects.toMatchObject({
    code: 'DisabledException',
  });
});

test('lists what lies below a path, the next level or all, page by page', async () => {
  for (const Name of ['/p/x', '/p/y', '/p/deep/z', '/q/x'])
    await call('PutParameter', { Name, Value: Name, Type: 'String' });
  const names = async (input: object) =>
    (await call('GetParametersByPath', { Path: '/p', ...input })).Parameters.map(({ Name }: { Name: string }) => Name);
  expect(await names({})).toEqual(['/p/x', '/p/y']);
  expect(await names({ Recursive: true })).toEqual(['/p/deep/z', '/p/x', '/p/y']);
  const first = await call('GetParametersByPath', { Path: '/p', MaxResults: 1 });
  expect(await names({ MaxResults: 1, NextToken: first.NextToken })).toEqual(['/p/y']);
});

test('names what it did not find among several', async () => {
  await call('PutParameter', { Name: 'plain', Value: '1', Type: 'String' });
  expect(await call('GetParameters', { Names: ['plain', 'none'] })).toMatchObject({
    Parameters: [{ Name: 'plain' }],
    InvalidParameters: ['none'],
  });
});

test('is there from the start: the bootstrap version that the CDK checks', async () => {
  expect(
    Number((await call('GetParameter', { Name: '/cdk-bootstrap/hnb659fds/version' })).Parameter.Value),
  ).toBeGreaterThanOrEqual(6);
});
