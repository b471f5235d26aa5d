/** Which key an alias stands for. In a module of its own: loaded when needed. */
import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { clientFor } from './clients.ts';

export async function keyOfAlias(alias: string, region: string): Promise<string> {
  const { KeyMetadata } = await clientFor(KMSClient, region).send(new DescribeKeyCommand({ KeyId: alias }));
  if (KeyMetadata?.Arn === undefined) throw new Error(`KMS knows no key behind ${alias} in ${region}`);
  return KeyMetadata.Arn;
}
