/** `kubectl apply` and `kubectl get`, as the administrator of the account: just what setting up the application takes. */
import { request } from 'node:https';
import { DescribeClusterCommand, EKSClient } from '@aws-sdk/client-eks';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Connection } from './provision.ts';

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

export interface Kubectl {
  apply(manifest: Manifest): Promise<void>;
  get<T>(path: string): Promise<T>;
}

const plurals: Readonly<Record<string, string>> = {
  Namespace: 'namespaces',
  Deployment: 'deployments',
  Service: 'services',
  Role: 'roles',
  RoleBinding: 'rolebindings',
};

/** Opens the Kubernetes API of a cluster; its certificate is verified against what EKS says its authority is. */
export async function kubectl(
  cluster: string,
  region: string,
  connection: Connection & { credentials: NonNullable<Connection['credentials']> },
): Promise<Kubectl> {
  const answer = await new EKSClient({ ...connection, region }).send(new DescribeClusterCommand({ name: cluster }));
  const { endpoint, certificateAuthority } = answer.cluster ?? {};
  if (!endpoint || !certificateAuthority?.data) throw new Error(`The cluster ${cluster} has no endpoint yet`);
  const authority = Buffer.from(certificateAuthority.data, 'base64').toString();
  const call = async (method: string, path: string, type: string, body?: unknown) =>
    send(
      new URL(path, endpoint),
      authority,
      { method, type, token: await token(cluster, region, connection.credentials) },
      body,
    );
  return {
    async apply(manifest) {
      const type = 'application/apply-patch+yaml';
      await call('PATCH', `${pathOf(manifest)}?fieldManager=terraform`, type, manifest);
    },
    get: async <T>(path: string) => (await call('GET', path, 'application/json')) as T,
  };
}

export function pathOf({ apiVersion, kind, metadata }: Manifest): string {
  const plural = plurals[kind];
  if (!plural) throw new Error(`No path is known for ${kind}`);
  const group = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
  return `${group}${metadata.namespace ? `/namespaces/${metadata.namespace}` : ''}/${plural}/${metadata.name}`;
}

/** EKS's bearer token: a presigned GetCallerIdentity that names the cluster in a signed header. */
async function token(
  cluster: string,
  region: string,
  credentials: NonNullable<Connection['credentials']>,
): Promise<string> {
  const hostname = `sts.${region}.amazonaws.com`;
  const signer = new SignatureV4({ service: 'sts', region, credentials, sha256: Sha256 });
  const signed = await signer.presign(
    {
      method: 'GET',
      protocol: 'https:',
      hostname,
      path: '/',
      query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
      headers: { host: hostname, 'x-k8s-aws-id': cluster },
    },
    { expiresIn: 60, unhoistableHeaders: new Set(['x-k8s-aws-id']) },
  );
  const query = new URLSearchParams(signed.query as Record<string, string>);
  return `k8s-aws-v1.${Buffer.from(`https://${hostname}/?${query}`).toString('base64url')}`;
}

function send(
  url: URL,
  authority: string,
  { method, type, token: bearer }: { method: string; type: string; token: string },
  body?: unknown,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${bearer}`, accept: 'application/json', 'content-type': type };
    const outgoing = request(url, { method, ca: authority, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => {
        if ((response.statusCode ?? 500) < 300) resolve(JSON.parse(text || 'null'));
        else reject(new Error(`${method} ${url.pathname}: ${response.statusCode} ${text}`));
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
