/** Whether buckets are there. */
import { GetBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3';
import type { Buckets } from '../../../core/configuration/ports.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from './clients.ts';

export function buckets({ here }: Pick<Runtime, 'here'>): Buckets {
  return {
    async exists(Bucket) {
      try {
        await clientFor(S3Client, here.region).send(new GetBucketVersioningCommand({ Bucket }));
        return true;
      } catch (error) {
        if (error instanceof Error && error.name === 'NoSuchBucket') return false;
        throw error;
      }
    },
  };
}
