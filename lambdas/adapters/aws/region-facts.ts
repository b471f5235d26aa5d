/** Terraform states, versions of secrets and images, as one Region has them: that they are there, never what they hold. */
import { DescribeImagesCommand, ECRClient } from '@aws-sdk/client-ecr';
import { GetBucketVersioningCommand, ListObjectVersionsCommand, S3Client } from '@aws-sdk/client-s3';
import { DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { RegionFacts } from '../../../core/backup/ports.ts';
import { clientFor } from './clients.ts';

const isNamed = (error: unknown, ...names: readonly string[]) => error instanceof Error && names.includes(error.name);

export function regionFacts(region: string): RegionFacts {
  return {
    async terraformState(Bucket, Key) {
      const client = clientFor(S3Client, region);
      const { Status } = await client.send(new GetBucketVersioningCommand({ Bucket }));
      if (Status !== 'Enabled') return 'unversioned';
      // A state holds secrets: HeadObject would need the right to read it, a list of versions does not.
      const { Versions = [] } = await client.send(new ListObjectVersionsCommand({ Bucket, Prefix: Key }));
      const latest = Versions.find((version) => version.Key === Key && version.IsLatest);
      return latest ? { version: latest.VersionId, modifiedAt: latest.LastModified?.toISOString() ?? '' } : 'absent';
    },

    async secretVersion(SecretId) {
      try {
        const { VersionIdsToStages = {} } = await clientFor(SecretsManagerClient, region).send(
          new DescribeSecretCommand({ SecretId }),
        );
        return Object.entries(VersionIdsToStages).find(([, stages]) => stages.includes('AWSCURRENT'))?.[0];
      } catch (error) {
        if (isNamed(error, 'ResourceNotFoundException')) return undefined;
        throw error;
      }
    },

    async hasImage(registryId, repositoryName, imageDigest) {
      try {
        const { imageDetails = [] } = await clientFor(ECRClient, region).send(
          new DescribeImagesCommand({ registryId, repositoryName, imageIds: [{ imageDigest }] }),
        );
        return imageDetails.length > 0;
      } catch (error) {
        if (isNamed(error, 'ImageNotFoundException', 'RepositoryNotFoundException')) return false;
        throw error;
      }
    },
  };
}
