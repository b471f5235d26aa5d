/** The evidence bucket of the function's own Region: versioned, and encrypted by the bucket's own default. */
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { EvidenceStore } from '../../../core/evidence/ports.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from './clients.ts';

export function evidenceStore({ here }: Pick<Runtime, 'here'>): EvidenceStore {
  const Bucket = here.evidenceBucket;
  return {
    location: (key) => `s3://${Bucket}/${key}`,
    async put(Key, Body, ContentType) {
      const command = new PutObjectCommand({ Bucket, Key, Body, ContentType });
      await clientFor(S3Client, here.region).send(command);
    },
  };
}
