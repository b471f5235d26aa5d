/** A secret's replicas: read-only copies in other Regions that follow every change of their primary. */
import { AwsError, type Home, type Service } from '../../kernel.ts';
import type { Secret, SecretStore } from './store.ts';

/** The service object of Secrets Manager, as its sibling in another Region sees it. */
export interface SecretsManagerService extends Service {
  readonly store: SecretStore;
}

const storeIn = (home: Home, region: string): SecretStore => {
  if (!home.regions.includes(region))
    throw new AwsError('InvalidParameterException', `Invalid replica Region: ${region}`);
  return (home.service('secrets-manager', region) as SecretsManagerService).store;
};

/** Adds replicas, then brings all replicas of the secret up to date. */
export function replicate(
  home: Home,
  secret: Secret,
  added: readonly { Region?: string | undefined; KmsKeyId?: string | undefined }[] = [],
  overwrite = false,
): void {
  for (const { Region = '', KmsKeyId } of added) {
    if (Region === home.region)
      throw new AwsError('InvalidParameterException', 'The replica Region must differ from the primary Region.');
    storeIn(home, Region).receive(secret, KmsKeyId, overwrite);
    secret.replicas.set(Region, KmsKeyId ? { keyId: KmsKeyId } : {});
  }
  for (const [region, { keyId }] of secret.replicas) storeIn(home, region).receive(secret, keyId, false);
}

export function unreplicate(home: Home, secret: Secret, regions: readonly string[]): void {
  for (const region of regions) {
    if (!secret.replicas.delete(region))
      throw new AwsError('ResourceNotFoundException', `${secret.name} has no replica in ${region}.`);
    const store = storeIn(home, region);
    const replica = store.lookup(secret.name);
    if (replica) store.remove(replica);
  }
}
