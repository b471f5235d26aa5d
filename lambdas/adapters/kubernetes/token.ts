/**
 * The token that EKS takes: a presigned GetCallerIdentity of the regional STS, bound to one cluster by a signed header
 * (aws-facts). It is a bearer secret for a minute: never log it.
 */
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Credentials } from '../aws/clients.ts';
import { defaultProvider } from '../aws/lambda-credentials.ts';

export async function eksToken(cluster: string, region: string, as?: Credentials): Promise<string> {
  const signer = new SignatureV4({ service: 'sts', region, credentials: as ?? defaultProvider(), sha256: Sha256 });
  const hostname = `sts.${region}.amazonaws.com`;
  const signed = await signer.presign(
    {
      method: 'GET',
      protocol: 'https:',
      hostname,
      path: '/',
      query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
      headers: { host: hostname, 'x-k8s-aws-id': cluster },
    },
    // EKS sends the header itself; hoisted into the query it would not count.
    { expiresIn: 60, unhoistableHeaders: new Set(['x-k8s-aws-id']) },
  );
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(signed.query ?? {})) query.append(name, String(value));
  return `k8s-aws-v1.${Buffer.from(`https://${hostname}/?${query}`).toString('base64url')}`;
}
