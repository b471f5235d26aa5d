/** Everything in a namespace, through the Kubernetes API: kinds by discovery, objects by list. It asks for no secret. */
import * as z from 'zod';
import { isExported } from '../../../core/backup/manifests.ts';
import type { ClusterState, Manifest, NamespacedKind } from '../../../core/backup/ports.ts';
import { WorkloadNotFound, WorkloadNotReady } from '../../../core/database/errors.ts';
import type { Runtime } from '../../handler.ts';
import { send } from './api.ts';
import { eksToken } from './token.ts';

const Groups = z.object({ groups: z.array(z.object({ preferredVersion: z.object({ groupVersion: z.string() }) })) });
const Resources = z.object({
  groupVersion: z.string(),
  resources: z.array(
    z.object({ name: z.string(), kind: z.string(), namespaced: z.boolean(), verbs: z.array(z.string()).default([]) }),
  ),
});
const List = z.object({
  metadata: z.object({ continue: z.string().optional() }).default({}),
  items: z.array(z.record(z.string(), z.unknown())),
});

const pageSize = 200;
/** Aggregated APIs that answer measurements, not objects that anybody wrote. */
const measured = /^(metrics|custom\.metrics|external\.metrics)\.k8s\.io\//;

/** Of the cluster that the application runs in. */
export function clusterState({ here, settings }: Pick<Runtime, 'here' | 'settings'>): ClusterState {
  const { cluster: name } = settings.application.deployment;
  const get = async (path: string): Promise<unknown> => {
    // EKS is a large client, needed once per function instance.
    const { findCluster } = await import('./clusters.ts');
    const cluster = await findCluster(name, here.region);
    const { status, body } = await send(cluster, { method: 'GET', path, token: await eksToken(name, here.region) });
    if (status === 200) return JSON.parse(body);
    if (status === 403) return 'forbidden';
    const what = `GET ${path} of cluster ${name} answers ${status}: ${body.slice(0, 300)}`;
    throw status === 401 ? WorkloadNotFound(what) : WorkloadNotReady(what);
  };
  return {
    async kinds() {
      const { groups } = Groups.parse(await get('/apis'));
      const versions = groups.map(({ preferredVersion }) => preferredVersion.groupVersion);
      const found: NamespacedKind[] = [];
      for (const version of ['v1', ...versions.filter((each) => !measured.test(each))]) {
        const { groupVersion: apiVersion, resources } = Resources.parse(await get(rootOf(version)));
        // A slash names a part of an object, such as deployments/scale.
        for (const { name: plural, kind, namespaced, verbs } of resources)
          if (namespaced && verbs.includes('list') && !plural.includes('/')) found.push({ apiVersion, kind, plural });
      }
      return found;
    },
    async list(namespace, kind) {
      // Whoever asks for one all the same is refused here, before anything is sent.
      if (!isExported(kind)) return 'forbidden';
      const path = `${rootOf(kind.apiVersion)}/namespaces/${encodeURIComponent(namespace)}/${kind.plural}`;
      const found: Manifest[] = [];
      for (let next: string | undefined = ''; next !== undefined; ) {
        const page = await get(
          `${path}?limit=${pageSize}${next === '' ? '' : `&continue=${encodeURIComponent(next)}`}`,
        );
        if (page === 'forbidden') return 'forbidden';
        const { items, metadata } = List.parse(page);
        found.push(...items);
        next = metadata.continue || undefined;
      }
      return found;
    },
  };
}

const rootOf = (apiVersion: string) => (apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`);
