import { expect, test } from 'vitest';
import { eksToken } from '../../../lambdas/adapters/kubernetes/token.ts';

test('an EKS token is a presigned call of the regional STS, bound to one cluster', async () => {
  process.env.AWS_ACCESS_KEY_ID = 'AKIDEXAMPLE';
  process.env.AWS_SECRET_ACCESS_KEY = 'not-a-secret';
  const token = await eksToken('stocker', 'us-west-2');
  expect(token).toMatch(/^k8s-aws-v1\.[\w-]+$/); // unpadded
  const url = new URL(Buffer.from(token.slice('k8s-aws-v1.'.length), 'base64url').toString());
  expect(url.host).toBe('sts.us-west-2.amazonaws.com');
  expect(url.searchParams.get('Action')).toBe('GetCallerIdentity');
  expect(url.searchParams.get('X-Amz-SignedHeaders')).toBe('host;x-k8s-aws-id');
  expect(url.searchParams.get('X-Amz-Expires')).toBe('60');
});
