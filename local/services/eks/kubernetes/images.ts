/** Where a container's image comes from: an ECR registry of this cloud, or whoever gave the cloud its images. */
import { AwsError, type ContainerImage, type Home } from '../../../kernel.ts';
import type { EcrService } from '../../ecr/index.ts';

export interface PulledImage {
  readonly image: ContainerImage;
  /** `repository@sha256:…`, as a kubelet reports it; an image of no registry of this cloud has no digest. */
  readonly id?: string;
}

const ofEcr = /^((\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com\/([^:@]+))(?::([^:@]+))?(?:@(sha256:[0-9a-f]{64}))?$/;

/**
 * Undefined where it cannot be pulled. ECR knows an image by tag or digest, and what it does is what the cloud was given
 * as `repository:tag`, for no layers are kept.
 */
export function pull(home: Home, reference: string): PulledImage | undefined {
  const [, repositoryUri, account, region = '', name = '', tag, digest] = ofEcr.exec(reference) ?? [];
  if (repositoryUri === undefined) {
    const image = home.images[reference];
    return image && { image };
  }
  if (!home.regions.includes(region)) return undefined;
  try {
    // As if the repository's policy admitted every account that this cloud has.
    const { registry } = home.service('ecr', region, account) as EcrService;
    const known = registry.image(
      registry.find(name),
      digest === undefined ? { imageTag: tag ?? 'latest' } : { imageDigest: digest },
    );
    const image = [...known.tags].map((each) => home.images[`${name}:${each}`]).find((each) => each !== undefined);
    return image && { image, id: `${repositoryUri}@${known.digest}` };
  } catch (error) {
    if (error instanceof AwsError) return undefined;
    throw error;
  }
}
