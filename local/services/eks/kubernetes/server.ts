/** The Kubernetes API of one cluster over HTTPS: get, list, create, update, patch, delete. There is no watch. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { parse } from 'yaml';
import type { Home } from '../../../kernel.ts';
import type { Listening } from '../../../network.ts';
import { authenticate } from './authentication.ts';
import { type AccessEntry, type Attempt, authorize } from './authorization.ts';
import {
  apiVersionOf,
  KINDS,
  type Kind,
  type KubernetesObject,
  kindOf,
  matchesLabels,
  type ObjectStore,
  StatusError,
} from './objects.ts';
import { applyPatch, mergePatch, strategicMerge } from './patch.ts';
import { validated } from './validation.ts';

export interface ClusterApi {
  readonly clusterName: string;
  readonly version: string;
  readonly store: ObjectStore;
  entryOf(principalArn: string): AccessEntry | undefined;
  podLog(namespace: string, name: string): string;
}

interface Target {
  readonly kind: Kind;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
}

/** Listens on a free port of 127.0.0.1. */
export async function serve(home: Home, api: ClusterApi): Promise<Listening> {
  const certificate = await home.issueCertificate(['localhost'], ['127.0.0.1']);
  const applied = new Map<string, unknown>();
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    if (home.darkness.isDark(home.region)) return void response.destroy();
    answer(home, api, applied, request).then(
      (body) => send(response, request.method === 'POST' ? 201 : 200, body),
      (error: unknown) => {
        const { code, reason, message } =
          error instanceof StatusError ? error : new StatusError(500, 'InternalError', String(error));
        send(response, code, {
          kind: 'Status',
          apiVersion: 'v1',
          metadata: {},
          status: 'Failure',
          message,
          reason,
          code,
        });
      },
    );
  };
  return home.world.network.listen(listener, { certificate });
}

async function answer(
  home: Home,
  api: ClusterApi,
  applied: Map<string, unknown>,
  request: IncomingMessage,
): Promise<unknown> {
  const url = new URL(request.url ?? '/', 'https://cluster');
  // Health and version are open to all (system:public-info-viewer).
  if (/^\/(readyz|livez|healthz)$/.test(url.pathname)) return 'ok';
  const [major, minor] = api.version.split('.');
  if (url.pathname === '/version')
    return {
      major,
      minor,
      gitVersion: `v${api.version}.0-eks-embedded`,
      platform: `${process.platform}/${process.arch}`,
    };
  const principal = await authenticate(home, api.clusterName, request.headers.authorization);
  const entry = api.entryOf(principal);
  if (!entry) throw new StatusError(401, 'Unauthorized', 'Unauthorized');
  const discovered = discovery(url.pathname);
  if (discovered) return discovered;
  const target = targetOf(url.pathname);
  if (url.searchParams.get('watch') === 'true')
    throw new StatusError(405, 'MethodNotAllowed', 'the embedded cloud does not implement watch');
  const { kind, namespace, name, subresource } = target;
  authorize(api.store, entry, {
    verb: verbOf(request.method, name),
    group: kind.group,
    resource: [kind.plural, subresource].filter(Boolean).join('/'),
    namespace,
    name,
  });
  if (subresource === 'log' && name) return api.podLog(namespace ?? '', name);
  const body = await read(request);
  const dryRun = url.searchParams.getAll('dryRun');
  if (dryRun.some((stage) => stage !== 'All'))
    throw new StatusError(400, 'BadRequest', `a dry run has the stages "All", not "${dryRun}"`);
  // Answered as it would be, and not kept.
  return dryRun.length === 0
    ? act(api.store, applied, target, request, url.searchParams, body)
    : act(api.store.copy(), new Map(applied), target, request, url.searchParams, body);
}

function act(
  store: ObjectStore,
  applied: Map<string, unknown>,
  target: Target,
  request: IncomingMessage,
  query: URLSearchParams,
  body: unknown,
): unknown {
  const { kind, namespace, name, subresource } = target;
  const { plural } = kind;
  if (subresource === 'scale' && name) return scale(store, target, request.method, body);
  if (subresource)
    throw new StatusError(404, 'NotFound', `the embedded cloud does not implement ${plural}/${subresource}`);
  if (!name)
    return request.method === 'POST'
      ? store.create(plural, validated(kind, namespace, undefined, body))
      : list(store, target, query);
  if (request.method === 'GET') return store.get(plural, namespace, name);
  if (request.method === 'PUT') return store.update(plural, validated(kind, namespace, name, body));
  if (request.method === 'DELETE') {
    const object = store.get(plural, namespace, name);
    store.delete(plural, object);
    return (
      store.find(plural, namespace, name) ?? {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Success',
        details: { name, kind: plural },
      }
    );
  }
  const type = request.headers['content-type']?.split(';')[0];
  if (type === 'application/apply-patch+yaml') {
    const manager = query.get('fieldManager');
    if (!manager)
      throw new StatusError(
        422,
        'Invalid',
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
      );
    const key = `${plural}/${namespace ?? ''}/${name}/${manager}`;
    const existing = store.find(plural, namespace, name);
    const next = validated(kind, namespace, name, applyPatch(existing, applied.get(key), body));
    applied.set(key, body);
    return existing ? store.update(plural, next) : store.create(plural, next);
  }
  const patch = {
    'application/merge-patch+json': mergePatch,
    'application/strategic-merge-patch+json': strategicMerge,
  }[type ?? ''];
  if (!patch)
    throw new StatusError(415, 'UnsupportedMediaType', `the body of the request was in an unknown format: ${type}`);
  return store.update(plural, validated(kind, namespace, name, patch(store.get(plural, namespace, name), body)));
}

function list(store: ObjectStore, { kind, namespace }: Target, query: URLSearchParams): unknown {
  const labels = selector(query.get('labelSelector'));
  const fields = selector(query.get('fieldSelector'));
  const items = store
    .list(kind.plural, namespace)
    .filter(
      (object) =>
        matchesLabels(labels, object.metadata.labels) &&
        Object.entries(fields).every(([path, value]) => String(at(object, path)) === value),
    );
  return {
    kind: `${kind.kind}List`,
    apiVersion: apiVersionOf(kind),
    metadata: { resourceVersion: store.resourceVersion },
    items,
  };
}

/** Equality selectors: `a=b,c==d`. */
function selector(text: string | null): Record<string, string> {
  const terms = (text ?? '').split(',').filter(Boolean);
  return Object.fromEntries(
    terms.map((term) => {
      const [, name, value] = /^([^=!\s]+)==?([^=!\s]*)$/.exec(term) ?? [];
      if (name === undefined || value === undefined)
        throw new StatusError(400, 'BadRequest', `the embedded cloud knows no selector ${term}`);
      return [name, value];
    }),
  );
}

const at = (object: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], object);

function scale(
  store: ObjectStore,
  { kind, namespace, name = '' }: Target,
  method: string | undefined,
  body: unknown,
): unknown {
  const object = store.get(kind.plural, namespace, name) as KubernetesObject & { spec: { replicas?: number } };
  const replicas = (body as { spec?: { replicas?: number } } | undefined)?.spec?.replicas;
  const scaled =
    method === 'GET' || replicas === undefined
      ? object
      : store.update(kind.plural, { ...object, spec: { ...object.spec, replicas } });
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: scaled.metadata,
    spec: { replicas: scaled.spec.replicas ?? 1 },
  };
}

function targetOf(path: string): Target {
  const [, group = '', version, namespaced, plain] =
    /^\/(?:api|apis\/([^/]+))\/([^/]+)\/(?:namespaces\/([^/]+\/[^/].*)|(.+))$/.exec(path) ?? [];
  const parts = (namespaced ?? plain ?? '').split('/').map(decodeURIComponent);
  const namespace = namespaced === undefined ? undefined : parts.shift();
  const [plural = '', name, subresource] = parts;
  const kind = kindOf(plural);
  if (kind.group !== group || kind.version !== version)
    throw new StatusError(404, 'NotFound', 'the server could not find the requested resource');
  return { kind, namespace, name, subresource };
}

function verbOf(method: string | undefined, name: string | undefined): Attempt['verb'] {
  if (method === 'GET') return name ? 'get' : 'list';
  const verb = ({ POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' } as const)[method ?? ''];
  if (!verb || (verb !== 'create' && !name))
    throw new StatusError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource');
  return verb;
}

function discovery(path: string): unknown {
  const groups = [...new Set(KINDS.map(({ group }) => group))].filter(Boolean);
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'] };
  if (path === '/apis') {
    const version = (group: string) => ({ groupVersion: `${group}/v1`, version: 'v1' });
    return {
      kind: 'APIGroupList',
      apiVersion: 'v1',
      groups: groups.map((name) => ({ name, versions: [version(name)], preferredVersion: version(name) })),
    };
  }
  const group = path === '/api/v1' ? '' : /^\/apis\/([^/]+)\/v1$/.exec(path)?.[1];
  if (group === undefined) return undefined;
  const resources = KINDS.filter((kind) => kind.group === group).map(({ plural, kind, namespaced }) => ({
    name: plural,
    singularName: kind.toLowerCase(),
    kind,
    namespaced,
    verbs: ['create', 'delete', 'get', 'list', 'patch', 'update'],
  }));
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: group ? `${group}/v1` : 'v1', resources };
}

async function read(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  try {
    return text ? (parse(text) as unknown) : undefined; // JSON is YAML
  } catch (error) {
    throw new StatusError(
      400,
      'BadRequest',
      `the body is neither JSON nor YAML: ${error instanceof Error ? error.message : error}`,
    );
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = typeof body === 'string';
  response
    .writeHead(status, { 'content-type': text ? 'text/plain' : 'application/json' })
    .end(text ? body : JSON.stringify(body));
}
