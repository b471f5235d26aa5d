/** The keys that encrypt storage, backups and snapshots: RDS uses them as KMS lets it. */
import { type Access, AwsError } from '../../kernel.ts';
import { type KmsService, keyAccess } from '../kms/index.ts';
import { invalidCombination, keyNotAccessible } from './errors.ts';
import type { Region, Settings } from './state.ts';

/** The key that encrypts where a call names none. */
export const managedKey = (region: Region): string => kms(region).keyArn('alias/aws/rds');

/** The ARN of a key of this Region that may be used now. Throws KMSKeyNotAccessibleFault. */
export function usableKey(region: Region, keyId: string): string {
  if (!isUsable(region, keyId)) throw keyNotAccessible(keyId);
  return kms(region).keyArn(keyId);
}

/** Whether what is encrypted so can be read and written now; what is not encrypted always can. */
export function isUsable(region: Region, keyId: string | undefined): boolean {
  if (keyId === undefined) return true;
  try {
    kms(region).requireUsable(keyId);
    return true;
  } catch (error) {
    if (error instanceof AwsError) return false;
    throw error;
  }
}

/**
 * How a copy in this Region is encrypted: as asked for; where nothing is, as the source, whose key is of another
 * Region where the source is.
 */
export function encryptionOfCopy(
  region: Region,
  source: { readonly region: Region; readonly settings: Readonly<Settings> },
  keyId: string | undefined,
): Pick<Settings, 'StorageEncrypted' | 'KmsKeyId'> {
  const { StorageEncrypted, KmsKeyId } = source.settings;
  if (StorageEncrypted && !isUsable(source.region, KmsKeyId)) throw keyNotAccessible(KmsKeyId ?? '');
  if (keyId !== undefined) return { StorageEncrypted: true, KmsKeyId: usableKey(region, keyId) };
  if (!StorageEncrypted) return { StorageEncrypted: false };
  if (source.region !== region)
    throw invalidCombination('A KMS key of this Region must be specified: the source is encrypted in another Region.');
  return { StorageEncrypted, ...(KmsKeyId !== undefined && { KmsKeyId }) };
}

/** What RDS needs of a key on behalf of its caller to encrypt with it (User Guide, "Encrypting Amazon RDS resources"). */
export function keyUse(region: Region, keyId: string | undefined): readonly Access[] {
  if (keyId === undefined) return [];
  try {
    return keyAccess(region.home, 'rds', ['CreateGrant', 'DescribeKey'], keyId).map((access) => ({
      ...access,
      conditions: { ...access.conditions, 'kms:GrantIsForAWSResource': 'true' },
    }));
  } catch (error) {
    if (error instanceof AwsError) throw keyNotAccessible(keyId);
    throw error;
  }
}

const kms = ({ home }: Region): KmsService => home.service('kms') as KmsService;
