/** Recordings of zones, in the evidence buckets of both Regions: `backups/zone/<zone>/<time>.json`. */
import { GetObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { ZoneRecording } from '../../../core/configuration/contracts.ts';
import type { ZoneRecordings } from '../../../core/configuration/ports.ts';
import { otherRegion } from '../../../core/settings.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from './clients.ts';
import { evidenceStore } from './evidence-store.ts';

export function zoneRecordings({ settings, here }: Pick<Runtime, 'settings' | 'here'>): ZoneRecordings {
  const client = clientFor(S3Client, here.region);
  const folder = (of: string) => `backups/zone/${of}/`;
  return {
    async keep(of, recording) {
      const key = `${folder(of)}${recording.at}.json`;
      const body = `${JSON.stringify(recording, undefined, 2)}\n`;
      const put = (at: typeof here) => evidenceStore({ here: at }).put(key, body, 'application/json');
      const [own, copy] = await Promise.allSettled([put(here), put(otherRegion(settings, here))]);
      // One Region may be away: its copy is made tomorrow.
      if (own.status === 'rejected' && copy.status === 'rejected') throw own.reason;
      return evidenceStore({ here }).location(key);
    },
    async newest(of, before) {
      let newest: string | undefined;
      const input = { Bucket: here.evidenceBucket, Prefix: folder(of) };
      for await (const { Contents = [] } of paginateListObjectsV2({ client }, input))
        for (const { Key = '' } of Contents) {
          const at = momentIn(Key);
          if (Date.parse(at) < Date.parse(before) && at > (newest ?? '')) newest = at;
        }
      return newest === undefined
        ? undefined
        : { location: evidenceStore({ here }).location(`${folder(of)}${newest}.json`), at: newest };
    },
    async read(location) {
      const [, Bucket = '', Key = ''] = /^s3:\/\/([^/]+)\/(.+)$/.exec(location) ?? [];
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
        return ZoneRecording.parse(JSON.parse((await Body?.transformToString()) ?? ''));
      } catch (error) {
        if (error instanceof Error && error.name === 'NoSuchKey') return undefined;
        throw error;
      }
    },
  };
}

const momentIn = (key: string) => (key.split('/').at(-1) ?? '').replace(/\.json$/, '');
