/** The environment of a pod's process: what its spec says, and the credentials of its service account's role. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Home, Principal } from '../../../kernel.ts';
import type { ObjectStore } from './objects.ts';
import type { Container, EnvVar, Pod } from './workload.ts';

const ROLE_ANNOTATION = 'eks.amazonaws.com/role-arn';

/** Throws where a reference leads nowhere. */
export async function environmentOf(
  home: Home,
  store: ObjectStore,
  pod: Pod,
  container: Container,
): Promise<Record<string, string>> {
  const variables: Record<string, string> = {
    PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ''}`,
    ...(await awsOf(home, store, pod)),
  };
  for (const { configMapRef, secretRef, prefix = '' } of container.envFrom ?? []) {
    const values = configMapRef
      ? dataOf(store, pod, 'configmaps', configMapRef.name)
      : dataOf(store, pod, 'secrets', secretRef?.name ?? '');
    for (const [name, value] of Object.entries(values)) variables[prefix + name] = value;
  }
  for (const variable of container.env ?? []) {
    const value = variableOf(store, pod, variable);
    if (value !== undefined)
      variables[variable.name] = value.replace(/\$\((\w+)\)/g, (whole, name: string) => variables[name] ?? whole);
  }
  return variables;
}

function variableOf(store: ObjectStore, pod: Pod, { name, value, valueFrom }: EnvVar): string | undefined {
  if (!valueFrom) return value ?? '';
  const { configMapKeyRef, secretKeyRef, fieldRef } = valueFrom;
  if (fieldRef) {
    const fields: Record<string, string | undefined> = {
      'metadata.name': pod.metadata.name,
      'metadata.namespace': pod.metadata.namespace,
      'metadata.uid': pod.metadata.uid,
      'spec.nodeName': pod.spec.nodeName,
      'status.podIP': '127.0.0.1',
    };
    return fields[fieldRef.fieldPath];
  }
  const reference = configMapKeyRef ?? secretKeyRef;
  if (!reference) throw new Error(`env ${name}: the embedded cloud knows no ${Object.keys(valueFrom)}`);
  const plural = configMapKeyRef ? 'configmaps' : 'secrets';
  const found =
    store.find(plural, pod.metadata.namespace, reference.name) &&
    dataOf(store, pod, plural, reference.name)[reference.key];
  if (found === undefined && !reference.optional)
    throw new Error(`couldn't find key ${reference.key} in ${plural} ${reference.name}`);
  return found;
}

/** A secret's values are base64; `stringData` was turned into `data` when it was stored. */
function dataOf(store: ObjectStore, pod: Pod, plural: 'configmaps' | 'secrets', name: string): Record<string, string> {
  const data = (store.get(plural, pod.metadata.namespace, name).data ?? {}) as Record<string, string>;
  if (plural === 'configmaps') return data;
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
}

/** A pod acts as its service account's role; one without a role acts as nobody of this account's roles, but as the operator. */
async function awsOf(home: Home, store: ObjectStore, { metadata, spec }: Pod): Promise<Record<string, string>> {
  const account = store.find('serviceaccounts', metadata.namespace, spec.serviceAccountName ?? 'default');
  const roleArn = account?.metadata.annotations?.[ROLE_ANNOTATION];
  const principal: Principal = roleArn
    ? { kind: 'role', roleArn, sessionName: metadata.name }
    : { kind: 'operator', arn: `arn:aws:iam::${home.account}:root`, accessKeyId: 'AKIAEMBEDDEDCLOUDPOD' };
  const credentials = home.issueCredentials(principal);
  const authority = join(home.dataDirectory, 'eks', 'ca.pem');
  mkdirSync(dirname(authority), { recursive: true });
  writeFileSync(authority, home.certificateAuthority);
  return {
    AWS_REGION: home.region,
    AWS_ENDPOINT_URL: home.endpoint,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
    NODE_EXTRA_CA_CERTS: authority,
  };
}
