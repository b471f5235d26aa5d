/** The images of the cluster's newest export, asked for in the registry of the Region that looks. */
import { GetObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { ecrImage } from '../../../core/backup/check-configuration.ts';
import { ask } from '../../../core/readiness/answer.ts';
import type { ReadinessRun } from '../../../core/readiness/contracts.ts';
import type { FactsOf } from '../../../core/readiness/facts.ts';
import { regionSettings } from '../../../core/settings.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from '../aws/clients.ts';
import { regionFacts } from '../aws/region-facts.ts';

/** Where ExportCluster puts them: `<prefix><run>/<namespace>.json`. */
const clusterStatePrefix = 'backups/cluster-state/';

export function lookAtImages(
  { region }: ReadinessRun,
  { settings }: Pick<Runtime, 'settings'>,
): Promise<FactsOf<'images'>> {
  const Bucket = regionSettings(settings, region).evidenceBucket;
  return ask(`the registry or the evidence bucket in ${region}`, async () => {
    const exported = await newestExport(Bucket, region);
    if (exported === undefined) return { export: null, checked: 0, missing: [] };
    const images = new Set<string>();
    for (const key of exported.keys) for (const image of await imagesIn(Bucket, key, region)) images.add(image);
    const missing: string[] = [];
    for (const image of images) {
      const [, registry = '', repository = '', digest = ''] = ecrImage.exec(image) ?? [];
      if (!(await regionFacts(region).hasImage(registry, repository, digest))) missing.push(image);
    }
    return { export: { run: exported.run, at: exported.at }, checked: images.size, missing };
  });
}

/** Runs are named by their time, so that the last by name is the newest. */
async function newestExport(Bucket: string, region: string) {
  let newest: { run: string; at: string; keys: string[] } | undefined;
  const pages = paginateListObjectsV2({ client: clientFor(S3Client, region) }, { Bucket, Prefix: clusterStatePrefix });
  for await (const { Contents = [] } of pages)
    for (const { Key = '', LastModified } of Contents) {
      const run = Key.slice(clusterStatePrefix.length).split('/')[0] ?? '';
      if (newest === undefined || run > newest.run)
        newest = { run, at: (LastModified ?? new Date(0)).toISOString(), keys: [] };
      if (run === newest.run) newest.keys.push(Key);
    }
  return newest;
}

/** In another registry than ECR's nothing of ours can look. */
async function imagesIn(Bucket: string, Key: string, region: string): Promise<string[]> {
  const { Body } = await clientFor(S3Client, region).send(new GetObjectCommand({ Bucket, Key }));
  const text = (await Body?.transformToString()) ?? '';
  const named = [...text.matchAll(/"image": "([^"]+)"/g)].map(([, image = '']) => image);
  return named.filter((image) => ecrImage.test(image));
}
