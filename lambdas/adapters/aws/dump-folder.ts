/** The plan's dumps in the function's own Region, listed and read. */
import { paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import type { DumpFolder } from '../../../core/backup/ports.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from './clients.ts';
import { dumps } from './dumps.ts';

export function dumpFolder(rt: Pick<Runtime, 'here' | 'settings'>): DumpFolder {
  const { here, settings } = rt;
  const Prefix = settings.database.dumpPrefix;
  const client = clientFor(S3Client, here.region);
  return {
    async list() {
      const found: { name: string; bytes: number }[] = [];
      for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: here.dumpBucket, Prefix }))
        found.push(...Contents.map(({ Key = '', Size = 0 }) => ({ name: Key.slice(Prefix.length), bytes: Size })));
      return found;
    },
    // The SDK checks the checksum that S3 keeps of an object while its body is read.
    read: (name) => dumps(rt).read(name),
    location: (name) => `s3://${here.dumpBucket}/${Prefix}${name}`,
  };
}
