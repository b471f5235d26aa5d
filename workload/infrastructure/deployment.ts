/**
 * What STOCKER Pro's pipeline leaves behind: the image in ECR of both Regions, Terraform's state in a bucket of each, the
 * commit that is deployed. Inputs of AWS calls, so that whoever has a client of their own can make them, too.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CreateBucketCommandInput, PutObjectCommandInput } from '@aws-sdk/client-s3';

/** As its repository and tag: what the pods run. */
export const stockerImage = 'stocker-api:1';

const [repositoryName = '', imageTag = ''] = stockerImage.split(':');

export const imageIn = (account: string, region: string): string =>
  `${account}.dkr.ecr.${region}.amazonaws.com/${stockerImage}`;

/** The application's source: image and commit are of it, so that they change when it does. */
const source = readFileSync(join(import.meta.dirname, '../api/server.ts'));
const digestOf = (content: string | Buffer) => `sha256:${createHash('sha256').update(content).digest('hex')}`;

/** A stand-in for the Git commit: as long, and another one for another source. */
export const deployedCommit = createHash('sha1').update(source).digest('hex');

/** To the primary's registry, in this order: only what is pushed under a replication rule is replicated. */
export function imageCalls(account: string, replicaRegion: string) {
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digestOf(source), size: source.length };
  const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf('{}'), size: 2 };
  return {
    repository: { repositoryName, imageTagMutability: 'IMMUTABLE' as const },
    replication: {
      replicationConfiguration: { rules: [{ destinations: [{ region: replicaRegion, registryId: account }] }] },
    },
    image: {
      repositoryName,
      imageTag,
      imageManifestMediaType: mediaType,
      imageManifest: JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [layer] }),
    },
  };
}

export function bucketIn(region: string, Bucket: string): CreateBucketCommandInput {
  // us-east-1 is what S3 assumes, and refuses to be told.
  if (region === 'us-east-1') return { Bucket };
  return {
    Bucket,
    CreateBucketConfiguration: {
      LocationConstraint: region as NonNullable<
        CreateBucketCommandInput['CreateBucketConfiguration']
      >['LocationConstraint'],
    },
  };
}

/** Terraform's own bucket of one Region, with its state, and where builds find Terraform itself. */
export function stateCalls(region: string, Bucket: string, keys: readonly string[], resources: readonly object[] = []) {
  const state = {
    version: 4,
    'STAND-IN': 'No Terraform ran here: there is a state, and it is versioned.',
    serial: 1,
    resources,
  };
  return {
    bucket: bucketIn(region, Bucket),
    versioning: { Bucket, VersioningConfiguration: { Status: 'Enabled' as const } },
    objects: keys.map((Key): PutObjectCommandInput & { readonly Body: string } => ({
      Bucket,
      Key,
      Body: JSON.stringify(state),
      ContentType: 'application/json',
    })),
    terraform: {
      Bucket,
      Key: 'tools/terraform-linux-arm64.zip',
      Body: 'STAND-IN: no Terraform is here. The embedded cloud has a stand-in for it in the PATH of its builds.',
    },
  };
}
