/** What an access entry lets its principal do: the policies associated with it, and the roles bound to its groups. */
import { KINDS, type KubernetesObject, type ObjectStore, RBAC, StatusError } from './objects.ts';

export interface AccessEntry {
  readonly principalArn: string;
  readonly arn: string;
  username: string;
  groups: readonly string[];
  readonly type: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly createdAt: Date;
  /** Policy ARN to its scope: every namespace, or those named. */
  readonly policies: Map<
    string,
    { readonly type: 'cluster' | 'namespace'; readonly namespaces: readonly string[]; readonly at: Date }
  >;
}

export interface Attempt {
  readonly verb: 'get' | 'list' | 'create' | 'update' | 'patch' | 'delete';
  readonly group: string;
  /** With its subresource: `deployments/scale`. */
  readonly resource: string;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
}

export const POLICY_PREFIX = 'arn:aws:eks::aws:cluster-access-policy/';
const READ = new Set(['get', 'list']);

/** The EKS access policies, as the user guide lists their permissions. */
export const POLICIES: Readonly<Record<string, (attempt: Attempt) => boolean>> = {
  AmazonEKSClusterAdminPolicy: () => true,
  AmazonEKSAdminViewPolicy: ({ verb }) => READ.has(verb),
  AmazonEKSAdminPolicy: (attempt) => isNamespaced(attempt),
  AmazonEKSEditPolicy: (attempt) => isNamespaced(attempt) && attempt.group !== RBAC,
  AmazonEKSViewPolicy: (attempt) =>
    isNamespaced(attempt) && READ.has(attempt.verb) && attempt.group !== RBAC && attempt.resource !== 'secrets',
};

/** Throws 403, worded as Kubernetes words it. */
export function authorize(store: ObjectStore, entry: AccessEntry, attempt: Attempt): void {
  if (byPolicy(entry, attempt) || byRole(store, entry, attempt)) return;
  const { verb, resource, group, namespace, name } = attempt;
  const qualified = group ? `${resource.split('/')[0]}.${group}` : resource;
  const where = namespace ? ` in the namespace "${namespace}"` : ' at the cluster scope';
  throw new StatusError(
    403,
    'Forbidden',
    `${qualified}${name ? ` "${name}"` : ''} is forbidden: User "${entry.username}" cannot ${verb} resource "${resource}" in API group "${group}"${where}`,
  );
}

function byPolicy(entry: AccessEntry, attempt: Attempt): boolean {
  return [...entry.policies].some(([arn, scope]) => {
    const inScope =
      scope.type === 'cluster' || (attempt.namespace !== undefined && scope.namespaces.includes(attempt.namespace));
    return inScope && (POLICIES[arn.slice(POLICY_PREFIX.length)]?.(attempt) ?? false);
  });
}

interface Rule {
  apiGroups?: string[];
  resources?: string[];
  verbs?: string[];
  resourceNames?: string[];
}
interface Binding extends KubernetesObject {
  roleRef?: { kind: string; name: string };
  subjects?: { kind: string; name: string }[];
}

function byRole(store: ObjectStore, entry: AccessEntry, attempt: Attempt): boolean {
  const bindings = [
    ...store.list<Binding>('clusterrolebindings'),
    ...(attempt.namespace ? store.list<Binding>('rolebindings', attempt.namespace) : []),
  ];
  const mine = bindings.filter(({ subjects = [] }) =>
    subjects.some(
      ({ kind, name }) =>
        (kind === 'Group' && entry.groups.includes(name)) || (kind === 'User' && entry.username === name),
    ),
  );
  return mine.some(({ roleRef, metadata }) => {
    const role =
      roleRef?.kind === 'Role'
        ? store.find('roles', metadata.namespace, roleRef.name)
        : store.find('clusterroles', undefined, roleRef?.name ?? '');
    return ((role?.rules ?? []) as Rule[]).some((rule) => permits(rule, attempt));
  });
}

function permits({ apiGroups = [], resources = [], verbs = [], resourceNames = [] }: Rule, attempt: Attempt): boolean {
  const has = (list: readonly string[], value: string) => list.includes('*') || list.includes(value);
  const named = resourceNames.length === 0 || (attempt.name !== undefined && resourceNames.includes(attempt.name));
  return has(apiGroups, attempt.group) && has(resources, attempt.resource) && has(verbs, attempt.verb) && named;
}

const isNamespaced = ({ resource }: Attempt): boolean =>
  KINDS.some(({ plural, namespaced }) => plural === resource.split('/')[0] && namespaced);
