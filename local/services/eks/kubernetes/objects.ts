/** Kubernetes objects of one cluster: which kinds there are, and a store with resource versions, generations and owners. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../../kernel.ts';

export interface Kind {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}
export interface Metadata {
  name: string;
  namespace?: string;
  generateName?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string; controller?: boolean }[];
}
export interface KubernetesObject {
  apiVersion?: string;
  kind?: string;
  metadata: Metadata;
  spec?: unknown;
  status?: unknown;
  [member: string]: unknown;
}

const kind = (group: string, plural: string, name: string, namespaced = true): Kind => ({
  group,
  version: 'v1',
  plural,
  kind: name,
  namespaced,
});

export const RBAC = 'rbac.authorization.k8s.io';
export const KINDS: readonly Kind[] = [
  kind('', 'namespaces', 'Namespace', false),
  kind('', 'nodes', 'Node', false),
  kind('', 'pods', 'Pod'),
  kind('', 'services', 'Service'),
  kind('', 'configmaps', 'ConfigMap'),
  kind('', 'secrets', 'Secret'),
  kind('', 'serviceaccounts', 'ServiceAccount'),
  kind('apps', 'deployments', 'Deployment'),
  kind('apps', 'replicasets', 'ReplicaSet'),
  kind(RBAC, 'roles', 'Role'),
  kind(RBAC, 'rolebindings', 'RoleBinding'),
  kind(RBAC, 'clusterroles', 'ClusterRole', false),
  kind(RBAC, 'clusterrolebindings', 'ClusterRoleBinding', false),
];

export const apiVersionOf = ({ group, version }: Kind): string => (group ? `${group}/${version}` : version);

/** A refusal as the API server answers it: a Status object with this code and reason. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly code: number;
  readonly reason: string;
  constructor(code: number, reason: string, message: string) {
    super(message);
    this.code = code;
    this.reason = reason;
  }
}

export class ObjectStore {
  /** By their kinds' plurals, and of each by namespace and name. */
  readonly #objects = new Map<string, Map<string, KubernetesObject>>();
  readonly #clock: Clock;
  readonly #listeners = new Set<() => void>();
  #version = 1;
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The same objects, for who only asks what would become of them: nobody hears of what happens there. */
  copy(): ObjectStore {
    const copy = new ObjectStore(this.#clock);
    for (const [plural, objects] of this.#objects) copy.#objects.set(plural, new Map(objects));
    copy.#version = this.#version;
    return copy;
  }

  get resourceVersion(): string {
    return String(this.#version);
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  list<T extends KubernetesObject>(plural: string, namespace?: string): T[] {
    const all = [...(this.#objects.get(plural)?.values() ?? [])] as T[];
    return namespace === undefined ? all : all.filter(({ metadata }) => metadata.namespace === namespace);
  }

  find<T extends KubernetesObject>(plural: string, namespace: string | undefined, name: string): T | undefined {
    return this.#objects.get(plural)?.get(key(namespace, name)) as T | undefined;
  }

  get(plural: string, namespace: string | undefined, name: string): KubernetesObject {
    const object = this.find(plural, namespace, name);
    if (!object) throw new StatusError(404, 'NotFound', `${qualified(plural)} "${name}" not found`);
    return object;
  }

  create<T extends KubernetesObject>(plural: string, given: T): T {
    const type = kindOf(plural);
    const name = given.metadata.name ?? `${given.metadata.generateName}${randomUUID().slice(0, 5)}`;
    const { namespace } = given.metadata;
    if (this.find(plural, namespace, name))
      throw new StatusError(409, 'AlreadyExists', `${qualified(plural)} "${name}" already exists`);
    if (type.namespaced && !this.find('namespaces', undefined, namespace ?? ''))
      throw new StatusError(404, 'NotFound', `namespaces "${namespace}" not found`);
    const object = {
      ...given,
      apiVersion: apiVersionOf(type),
      kind: type.kind,
      metadata: { ...given.metadata, name, uid: randomUUID(), generation: 1, creationTimestamp: this.timestamp() },
    };
    return this.#store(plural, object);
  }

  /** Replaces an object. A stale resourceVersion conflicts; a changed spec raises the generation; what nothing changes is no change. */
  update<T extends KubernetesObject>(plural: string, next: T): T {
    const { name, namespace } = next.metadata;
    const current = this.get(plural, namespace, name);
    const { resourceVersion } = next.metadata;
    if (resourceVersion && resourceVersion !== current.metadata.resourceVersion) {
      const advice = 'the object has been modified; please apply your changes to the latest version and try again';
      throw new StatusError(
        409,
        'Conflict',
        `Operation cannot be fulfilled on ${qualified(plural)} "${name}": ${advice}`,
      );
    }
    const { uid, creationTimestamp, generation = 1, deletionTimestamp } = current.metadata;
    const specChanged = JSON.stringify(current.spec) !== JSON.stringify(next.spec);
    const metadata = {
      ...next.metadata,
      ...(uid && { uid }),
      ...(creationTimestamp && { creationTimestamp }),
      ...(deletionTimestamp && { deletionTimestamp }),
      ...(current.metadata.resourceVersion && { resourceVersion: current.metadata.resourceVersion }),
      generation: specChanged ? generation + 1 : generation,
    };
    const object = { ...next, metadata };
    return JSON.stringify(object) === JSON.stringify(current) ? (current as T) : this.#store(plural, object);
  }

  /** Marks an object for deletion; whoever runs it removes it once it ended. */
  mark(plural: string, object: KubernetesObject): KubernetesObject {
    if (object.metadata.deletionTimestamp) return object;
    return this.#store(plural, { ...object, metadata: { ...object.metadata, deletionTimestamp: this.timestamp() } });
  }

  /** Removes an object for good; pods it owned are marked, other dependents removed. */
  remove(plural: string, { metadata }: KubernetesObject): void {
    this.#objects.get(plural)?.delete(key(metadata.namespace, metadata.name));
    for (const dependent of ['replicasets', 'pods']) {
      for (const object of this.list(dependent, metadata.namespace)) {
        if (object.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid)) this.delete(dependent, object);
      }
    }
    if (plural === 'namespaces') {
      for (const { plural: each } of KINDS.filter(({ namespaced }) => namespaced)) {
        for (const object of this.list(each, metadata.name)) this.delete(each, object);
      }
    }
    this.#changed();
  }

  /** A pod ends in time; everything else is gone at once. */
  delete(plural: string, object: KubernetesObject): void {
    if (plural === 'pods') this.mark(plural, object);
    else this.remove(plural, object);
  }

  timestamp(): string {
    return new Date(this.#clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
  }

  #store<T extends KubernetesObject>(plural: string, object: T): T {
    this.#version += 1;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: this.resourceVersion } };
    const kind = this.#objects.get(plural) ?? new Map<string, KubernetesObject>();
    this.#objects.set(plural, kind);
    kind.set(key(stored.metadata.namespace, stored.metadata.name), stored);
    this.#changed();
    return stored;
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

const key = (namespace: string | undefined, name: string): string => `${namespace ?? ''}/${name}`;

export function kindOf(plural: string): Kind {
  const found = KINDS.find((each) => each.plural === plural);
  if (!found) throw new StatusError(404, 'NotFound', 'the server could not find the requested resource');
  return found;
}

/** `deployments.apps`, as messages name a resource. */
export function qualified(plural: string): string {
  const { group } = kindOf(plural);
  return group ? `${plural}.${group}` : plural;
}

export const matchesLabels = (
  selector: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>> = {},
): boolean => Object.entries(selector).every(([name, value]) => labels[name] === value);
