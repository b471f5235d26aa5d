/** The evidence bucket of a Region as an archive: it is versioned, so that nothing that was put is ever replaced. */
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { Archive } from '../../../core/backup/ports.ts';
import { regionSettings } from '../../../core/settings.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from './clients.ts';

export function archive({ settings }: Pick<Runtime, 'settings'>, region: string): Archive {
  const Bucket = regionSettings(settings, region).evidenceBucket;
  return {
    async put(Key, Body, ContentType) {
      const command = new PutObjectCommand({ Bucket, Key, Body, ContentType });
      const { VersionId } = await clientFor(S3Client, region).send(command);
      return { location: `s3://${Bucket}/${Key}`, version: VersionId ?? 'none' };
    },
  };
}
