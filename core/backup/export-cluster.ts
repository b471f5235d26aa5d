/** ExportCluster: what is deployed in the configured namespaces, as manifests in versioned storage of both Regions. */
import type { Settings } from '../settings.ts';
import type { BackupRun, Outcome } from './contracts.ts';
import { asList, asWritten, digestsOf, isExported, pulledFrom, secretsOf, withDigests } from './manifests.ts';
import type { Archive, ClusterState, InRegion, Manifest } from './ports.ts';

export interface ExportContext {
  readonly settings: Settings;
  readonly cluster: ClusterState;
  readonly archives: InRegion<Archive>;
}

export interface Export {
  readonly outcome: Outcome;
  /** By digest, for CheckConfiguration. */
  readonly images: readonly string[];
  /** Of these no digest is known. */
  readonly unresolved: readonly string[];
}

/** What it may not list is named, and fails the export: a backup that lacks something must not look whole. */
export async function exportCluster({ run }: { run: BackupRun }, context: ExportContext): Promise<Export> {
  const { settings, archives } = context;
  const kinds = (await context.cluster.kinds()).filter(isExported);
  const images = new Set<string>();
  const unresolved = new Set<string>();
  const secrets = new Set<string>();
  const forbidden: string[] = [];
  const documents: { namespace: string; objects: number; locations: string[] }[] = [];
  for (const namespace of settings.backup.namespaces) {
    const found = await objectsOf(namespace, kinds, context.cluster);
    forbidden.push(...found.forbidden);
    const digests = digestsOf(found.pods);
    const objects = found.objects.map((object) => withDigests(object, digests, unresolved));
    for (const digest of digests.values()) images.add(digest);
    for (const name of objects.flatMap(secretsOf)) secrets.add(`${namespace}/${name}`);
    const key = `backups/cluster-state/${run.id}/${namespace}.json`;
    const locations: string[] = [];
    for (const region of [run.region, run.otherRegion]) {
      const here = region === run.region ? objects : objects.map((object) => pulledFrom(object, region));
      const body = JSON.stringify(asList(namespace, here), undefined, 2);
      const { location, version } = await archives(region).put(key, body, 'application/json');
      locations.push(`${location}?versionId=${version}`);
    }
    documents.push({ namespace, objects: objects.length, locations });
  }
  const count = documents.reduce((sum, { objects }) => sum + objects, 0);
  const flaws = [
    ...(forbidden.length > 0 ? [`not exported, for the role may not list them: ${forbidden.join(', ')}`] : []),
    ...documents.filter(({ objects }) => objects === 0).map(({ namespace }) => `${namespace} holds nothing`),
  ];
  const outcome: Outcome = {
    part: 'cluster-state',
    verdict: flaws.length === 0 ? 'passed' : 'failed',
    summary: flaws.join('; ') || `${count} manifests of ${documents.length} namespaces, in both Regions`,
    facts: { documents, forbidden, images: [...images], unresolved: [...unresolved], secrets: [...secrets] },
  };
  return {
    outcome,
    images: [...images].sort(),
    unresolved: [...unresolved].sort(),
  };
}

async function objectsOf(namespace: string, kinds: Awaited<ReturnType<ClusterState['kinds']>>, cluster: ClusterState) {
  const objects: Manifest[] = [];
  const forbidden: string[] = [];
  const pods: Manifest[] = [];
  for (const kind of kinds) {
    const listed = await cluster.list(namespace, kind);
    if (listed === 'forbidden') {
      forbidden.push(`${kind.plural} of ${kind.apiVersion} in ${namespace}`);
      continue;
    }
    if (kind.kind === 'Pod') pods.push(...listed);
    objects.push(...listed.map((object) => asWritten(object, kind)).filter((object) => object !== undefined));
  }
  return { objects, forbidden, pods };
}
