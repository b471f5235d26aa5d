/** Kubernetes objects as somebody would have written them: fit for `kubectl apply` in an empty cluster. Pure. */
import * as z from 'zod';
import type { Manifest, NamespacedKind } from './ports.ts';

/** Made anew by their controllers, gone with time, or (Secret) not to be had: the API is not even asked for these. */
const neverExported = new Set([
  'Secret',
  'Event',
  'Endpoints',
  'EndpointSlice',
  'Lease',
  'ControllerRevision',
  'PodMetrics',
  'LocalSubjectAccessReview',
  'Binding',
]);
export const isExported = ({ kind }: NamespacedKind): boolean => !neverExported.has(kind);

/** What every namespace has without anybody's doing. */
const everywhere = new Set(['ConfigMap kube-root-ca.crt', 'ServiceAccount default']);

const Object_ = z.looseObject({
  apiVersion: z.string().optional(),
  kind: z.string().optional(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    labels: z.record(z.string(), z.string()).optional(),
    annotations: z.record(z.string(), z.string()).optional(),
    ownerReferences: z.array(z.looseObject({ controller: z.boolean().optional() })).optional(),
  }),
  spec: z.record(z.string(), z.unknown()).optional(),
});

const PodStatus = z.object({
  status: z.object({
    containerStatuses: z.array(z.object({ image: z.string(), imageID: z.string().optional() })).default([]),
    initContainerStatuses: z.array(z.object({ image: z.string(), imageID: z.string().optional() })).default([]),
  }),
});

/** Image as it is written → `repository@sha256:…`, as the kubelets of these pods pulled it. */
export function digestsOf(pods: readonly Manifest[]): Map<string, string> {
  const digests = new Map<string, string>();
  for (const pod of pods) {
    const parsed = PodStatus.safeParse(pod);
    if (!parsed.success) continue;
    const { containerStatuses, initContainerStatuses } = parsed.data.status;
    for (const { image, imageID = '' } of [...containerStatuses, ...initContainerStatuses]) {
      const [digest] = /sha256:[0-9a-f]{64}/.exec(imageID) ?? [];
      if (digest !== undefined) digests.set(image, `${repositoryOf(image)}@${digest}`);
    }
  }
  return digests;
}

/** `registry:5000/team/api:1.2` → `registry:5000/team/api`: a colon in the last part begins a tag. */
const repositoryOf = (image: string): string => image.replace(/@.*$/, '').replace(/:[^/:]*$/, '');

/** The object that a person would apply; undefined where something else makes it. */
export function asWritten(object: Manifest, kind: NamespacedKind): Manifest | undefined {
  const { metadata, spec, status: _, ...rest } = Object_.parse(object);
  if (metadata.ownerReferences?.some(({ controller }) => controller)) return undefined;
  if (everywhere.has(`${kind.kind} ${metadata.name}`)) return undefined;
  const { name, namespace, labels } = metadata;
  const annotations = Object.fromEntries(
    Object.entries(metadata.annotations ?? {}).filter(([key]) => !isMachines(key)),
  );
  const { secrets: __, ...others } = rest;
  return {
    ...(kind.kind === 'ServiceAccount' ? others : rest),
    // Items of a list bear neither.
    apiVersion: kind.apiVersion,
    kind: kind.kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels === undefined ? {} : { labels }),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
    ...(spec === undefined ? {} : { spec: withoutAssigned(kind.kind, spec) }),
  };
}

/** The last applied text repeats whatever was ever applied, secrets too; the others are controllers' notes. */
const isMachines = (annotation: string) =>
  /^(kubectl\.kubernetes\.io\/last-applied-configuration|deployment\.kubernetes\.io\/|pv\.kubernetes\.io\/|volume\.(beta\.)?kubernetes\.io\/|control-plane\.alpha\.kubernetes\.io\/)/.test(
    annotation,
  );

/** What the cluster assigned; another cluster assigns its own and refuses these. */
const assigned: Readonly<Record<string, readonly string[]>> = {
  Service: ['clusterIP', 'clusterIPs', 'healthCheckNodePort', 'ipFamilies'],
  PersistentVolumeClaim: ['volumeName'],
  Pod: ['nodeName'],
  Job: ['selector'],
};

function withoutAssigned(kind: string, spec: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const dropped = assigned[kind] ?? [];
  // `None` makes a service headless: that was written.
  return Object.fromEntries(
    Object.entries(spec).filter(([name]) => !dropped.includes(name) || (kind === 'Service' && isHeadless(spec))),
  );
}
const isHeadless = ({ clusterIP }: Readonly<Record<string, unknown>>) => clusterIP === 'None';

/** The same object with every image that a pod runs named by its digest: a tag may mean another image tomorrow. */
export function withDigests<T>(value: T, digests: ReadonlyMap<string, string>, unresolved: Set<string>): T {
  return mapMembers(value, (name, member) => {
    if (name !== 'image' || typeof member !== 'string') return undefined;
    if (member.includes('@sha256:')) return member;
    const digest = digests.get(member);
    if (digest === undefined) unresolved.add(member);
    return digest ?? member;
  }) as T;
}

/**
 * The same object with its images from ECR in another Region: one that is dark serves no image to the other. Replication
 * keeps account, repository and digest (ECR User Guide: Private image replication).
 */
export function pulledFrom<T>(value: T, region: string): T {
  return mapMembers(value, (name, member) =>
    name === 'image' && typeof member === 'string'
      ? member.replace(/^(\d{12}\.dkr\.ecr\.)[a-z0-9-]+(\.amazonaws\.com\/)/, `$1${region}$2`)
      : undefined,
  ) as T;
}

/** Names of secrets that an object refers to: what must exist before it is applied. */
export function secretsOf(value: unknown): string[] {
  const names = new Set<string>();
  mapMembers(value, (key, member) => {
    const name = (of: unknown) =>
      typeof of === 'object' && of !== null && 'name' in of ? names.add(String(of.name)) : undefined;
    if (key === 'secretKeyRef' || key === 'secretRef') name(member);
    if (key === 'imagePullSecrets' && Array.isArray(member)) member.forEach(name);
    if (key === 'secretName' && typeof member === 'string') names.add(member);
    return undefined;
  });
  return [...names].sort();
}

/** A copy in which `change` may replace members of objects, however deep; undefined leaves one and goes into it. */
function mapMembers(value: unknown, change: (name: string, member: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => mapMembers(each, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, change(name, member) ?? mapMembers(member, change)]),
  );
}

/** In this order nothing refers to what is not there yet. */
const first = ['ServiceAccount', 'ConfigMap', 'PersistentVolumeClaim', 'Role', 'RoleBinding', 'Service'];
const rank = ({ kind }: Manifest) => {
  const index = first.indexOf(String(kind));
  return index < 0 ? first.length : index;
};

/** One document that `kubectl apply -f` takes: the namespace, and everything in it. */
export const asList = (namespace: string, objects: readonly Manifest[]): Manifest => ({
  apiVersion: 'v1',
  kind: 'List',
  items: [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    ...objects.toSorted((a, b) => rank(a) - rank(b)),
  ],
});
