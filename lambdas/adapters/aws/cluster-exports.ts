/** The cluster's state as the backup machine exported it, in the evidence bucket of the function's own Region. */
import { paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import type { ClusterExports } from '../../../core/cluster/ports.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from './clients.ts';

/** Where ExportCluster puts them: `<prefix><run>/<namespace>.json`; runs are named by their time. */
const prefix = 'backups/cluster-state/';

export function clusterExports({ here }: Pick<Runtime, 'here'>): ClusterExports {
  const Bucket = here.evidenceBucket;
  return {
    async newest(namespace) {
      let newest: { readonly key: string; readonly at: string } | undefined;
      const pages = paginateListObjectsV2({ client: clientFor(S3Client, here.region) }, { Bucket, Prefix: prefix });
      for await (const { Contents = [] } of pages)
        for (const { Key = '', LastModified } of Contents)
          if (Key.endsWith(`/${namespace}.json`) && Key > (newest?.key ?? ''))
            newest = { key: Key, at: (LastModified ?? new Date(0)).toISOString() };
      return newest && { location: `s3://${Bucket}/${newest.key}`, at: newest.at };
    },
  };
}
