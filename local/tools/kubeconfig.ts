/** Where the stand-ins keep a kubeconfig, and how they call the cluster that it names. */
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import { ToolError } from './arguments.ts';

export const kubeconfigFile = (): string => process.env.KUBECONFIG ?? join(process.env.HOME ?? '.', '.kube/config');

interface Kubeconfig {
  readonly clusters: readonly {
    readonly cluster: { readonly server?: string; readonly 'certificate-authority-data'?: string };
  }[];
  readonly users: readonly { readonly user: { readonly exec: { readonly args: readonly string[] } } }[];
}

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: Kubernetes objects of every kind
  readonly body: any;
}
export type Kubernetes = (method: string, path: string, body?: object) => Promise<Answer>;

/** Calls the Kubernetes API of the kubeconfig's cluster. Bodies are applied, or created with POST. */
export async function connect(): Promise<Kubernetes> {
  const { clusters, users } = JSON.parse(readFileSync(kubeconfigFile(), 'utf8')) as Kubeconfig;
  const { server, 'certificate-authority-data': ca = '' } = clusters[0]?.cluster ?? {};
  const [, , name = '', region = ''] = users[0]?.user.exec.args ?? [];
  if (server === undefined) throw new ToolError('the kubeconfig names no server');
  const token = await tokenFor(name, region);
  return (method, path, body) =>
    new Promise((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${token}`,
        ...(body && { 'content-type': method === 'PATCH' ? 'application/apply-patch+yaml' : 'application/json' }),
      };
      const sent = request(
        new URL(path, server),
        { method, headers, ca: Buffer.from(ca, 'base64'), timeout: 10_000 },
        (response) => {
          const parts: Buffer[] = [];
          response.on('data', (part: Buffer) => parts.push(part));
          response.on('end', () => {
            const text = Buffer.concat(parts).toString();
            resolve({ status: response.statusCode ?? 0, body: text.startsWith('{') ? JSON.parse(text) : text });
          });
        },
      );
      sent.on('timeout', () => sent.destroy(new Error(`${server} does not answer`)));
      sent.on('error', reject);
      sent.end(body && JSON.stringify(body));
    });
}

/** What `aws eks get-token` prints: a presigned GetCallerIdentity, bound to the cluster by a signed header. */
export async function tokenFor(cluster: string, region: string, credentials = ownCredentials()): Promise<string> {
  const signer = new SignatureV4({ service: 'sts', region, credentials, sha256: Sha256 });
  const hostname = `sts.${region}.amazonaws.com`;
  const headers = { host: hostname, 'x-k8s-aws-id': cluster };
  const query = { Action: 'GetCallerIdentity', Version: '2011-06-15' };
  const signed = await signer.presign(
    { method: 'GET', protocol: 'https:', hostname, path: '/', query, headers },
    { expiresIn: 60, unhoistableHeaders: new Set(['x-k8s-aws-id']) },
  );
  const search = new URLSearchParams(
    Object.entries(signed.query ?? {}).map(([key, value]): [string, string] => [key, String(value)]),
  );
  return `k8s-aws-v1.${Buffer.from(`https://${hostname}/?${search}`).toString('base64url')}`;
}

function ownCredentials() {
  const {
    AWS_ACCESS_KEY_ID: accessKeyId = '',
    AWS_SECRET_ACCESS_KEY: secretAccessKey = '',
    AWS_SESSION_TOKEN,
  } = process.env;
  return { accessKeyId, secretAccessKey, ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }) };
}
