/** Which digest an image of ECR has. */
import {
  DescribeImagesCommand,
  ECRClient,
  ImageNotFoundException,
  RepositoryNotFoundException,
} from '@aws-sdk/client-ecr';
import type { Registry } from '../../../core/cluster/ports.ts';
import { clientFor } from './clients.ts';

const ofEcr = /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com\/([^:@]+)(?::([^:@]+))?(?:@(sha256:[0-9a-f]{64}))?$/;

export const registry: Registry = {
  async digestOf(image) {
    const [, registryId, region = '', repositoryName, imageTag = 'latest', imageDigest] = ofEcr.exec(image) ?? [];
    if (registryId === undefined) return undefined;
    const imageIds = [imageDigest === undefined ? { imageTag } : { imageDigest }];
    try {
      const command = new DescribeImagesCommand({ registryId, repositoryName, imageIds });
      const { imageDetails = [] } = await clientFor(ECRClient, region).send(command);
      return imageDetails[0]?.imageDigest;
    } catch (error) {
      if (error instanceof ImageNotFoundException || error instanceof RepositoryNotFoundException) return undefined;
      throw error;
    }
  },
};
