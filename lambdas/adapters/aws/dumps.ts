/** The bucket of the function's own Region in which the plan's CronJob keeps its dumps. */
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import type { Dumps } from '../../../core/database/dump/ports.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from './clients.ts';

export function dumps({ here, settings }: Pick<Runtime, 'here' | 'settings'>): Dumps {
  const client = clientFor(S3Client, here.region);
  const at = (name: string) => ({ Bucket: here.dumpBucket, Key: settings.database.dumpPrefix + name });
  return {
    async find(name) {
      const { Bucket, Key } = at(name);
      // Whoever only looks needs no right to read; of the keys that begin so, the very one comes first.
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket, Prefix: Key, MaxKeys: 1 }));
      const found = Contents.find((object) => object.Key === Key);
      return found && { name, location: `s3://${Bucket}/${Key}`, bytes: found.Size ?? 0 };
    },
    async *read(name) {
      const { Body } = await client.send(new GetObjectCommand(at(name)));
      // In Node the body is a stream of bytes; the type also knows browsers'.
      yield* Body as AsyncIterable<Uint8Array>;
    },
  };
}
