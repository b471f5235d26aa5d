/** What the API server refuses before it stores, and what it fills in. */
import { apiVersionOf, type Kind, type KubernetesObject, matchesLabels, StatusError } from './objects.ts';
import type { Deployment, Pod, Service } from './workload.ts';

/** The object that a request's body stands for, at the place its path names. Throws 400 or 422. */
export function validated(
  kind: Kind,
  namespace: string | undefined,
  name: string | undefined,
  body: unknown,
): KubernetesObject {
  const object = (body ?? {}) as KubernetesObject;
  if (
    typeof body !== 'object' ||
    (object.kind && object.kind !== kind.kind) ||
    (object.apiVersion && object.apiVersion !== apiVersionOf(kind))
  ) {
    throw new StatusError(400, 'BadRequest', `the object provided is no ${apiVersionOf(kind)} ${kind.kind}`);
  }
  const { name: given, namespace: givenNamespace } = object.metadata ?? {};
  if (name && given && given !== name)
    throw new StatusError(
      400,
      'BadRequest',
      `the name of the object (${given}) does not match the name on the URL (${name})`,
    );
  if (givenNamespace && givenNamespace !== namespace)
    throw new StatusError(
      400,
      'BadRequest',
      `the namespace of the object (${givenNamespace}) does not match the namespace on the request (${namespace})`,
    );
  if (!name && !given && !object.metadata?.generateName)
    throw new StatusError(
      422,
      'Invalid',
      `${kind.kind} is invalid: metadata.name: Required value: name or generateName is required`,
    );
  const placed: KubernetesObject = {
    ...object,
    metadata: {
      ...object.metadata,
      ...((name ?? given) && { name: name ?? given }),
      ...(namespace && { namespace }),
    } as KubernetesObject['metadata'],
  };
  check(kind, placed);
  return kind.plural === 'secrets' ? encoded(placed) : placed;
}

function check(kind: Kind, object: KubernetesObject): void {
  const invalid = (why: string) =>
    new StatusError(422, 'Invalid', `${kind.kind} "${object.metadata.name}" is invalid: ${why}`);
  const containers = (spec: Pod['spec'] | undefined) => {
    if (spec?.containers?.length !== 1)
      throw invalid('spec.containers: the embedded cloud runs exactly one container in a pod');
    if (!spec.containers[0]?.image) throw invalid('spec.containers[0].image: Required value');
    const probe = spec.containers[0].readinessProbe;
    if (probe && !probe.httpGet) throw invalid('readinessProbe: the embedded cloud probes by httpGet only');
  };
  if (kind.plural === 'pods') containers((object as Pod).spec);
  if (kind.plural === 'deployments') {
    const { spec } = object as Deployment;
    if (!spec?.selector?.matchLabels || !matchesLabels(spec.selector.matchLabels, spec.template?.metadata?.labels)) {
      throw invalid('spec.template.metadata.labels: `selector` does not match template `labels`');
    }
    containers(spec.template.spec);
  }
  if (kind.plural === 'services' && (object as Service).spec?.ports?.length !== 1) {
    throw invalid('spec.ports: the embedded cloud forwards exactly one port of a service');
  }
}

function encoded({ stringData, ...secret }: KubernetesObject): KubernetesObject {
  const given = Object.entries((stringData ?? {}) as Record<string, string>);
  if (given.length === 0) return secret;
  const data = Object.fromEntries(given.map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
  return { ...secret, data: { ...(secret.data as object | undefined), ...data } };
}
