/** AWS KMS: symmetric customer keys that really encrypt, key policies, aliases, grants. */
import { createHash } from 'node:crypto';
import { parsePolicy } from '../../authorization/policy.ts';
import {
  type Access,
  AwsError,
  type Home,
  type PolicyDocument,
  type ResourceContext,
  type Service,
  type ServiceDefinition,
} from '../../kernel.ts';
import { isTrue, provider } from '../declare.ts';
import { Keyring } from './keyring.ts';
import { keyOperations } from './operations.ts';

/** What the other services need of KMS where they encrypt with a caller's key. Reached by `home.service('kms')`. */
export interface KmsService extends Service {
  /** The ARN of the key behind an id, ARN or alias. Throws NotFoundException. */
  keyArn(keyId: string): string;
  /** Throws DisabledException or KMSInvalidStateException unless the key may be used now. */
  requireUsable(keyId: string): void;
}

/** The access that a call of `service` needs on the caller's key, as KMS sees it: made by the service, for the caller. */
export function keyAccess(
  home: Home,
  service: string,
  actions: readonly string[],
  keyId: string,
  context: Readonly<Record<string, string>> = {},
): Access[] {
  const resources = [(home.service('kms') as KmsService).keyArn(keyId)];
  const conditions = {
    'kms:ViaService': `${service}.${home.region}.amazonaws.com`,
    'kms:CallerAccount': home.account,
    ...Object.fromEntries(Object.entries(context).map(([name, value]) => [`kms:EncryptionContext:${name}`, value])),
  };
  return actions.map((action) => ({ action: `kms:${action}`, resources, conditions }));
}

interface KeyProperties {
  Description?: string;
  KeyPolicy?: PolicyDocument;
  Enabled?: boolean | string;
  EnableKeyRotation?: boolean | string;
  RotationPeriodInDays?: number | string;
  PendingWindowInDays?: number;
  KeySpec?: string;
  KeyUsage?: string;
  MultiRegion?: boolean | string;
  Tags?: { Key: string; Value: string }[];
}
interface AliasProperties {
  AliasName: string;
  TargetKeyId: string;
}

/** The same at every deployment of the stack, as names are: what refers to it is then the same too, and is read once. */
function keyIdOf({ region, stackName, logicalId }: ResourceContext): string {
  const hex = createHash('sha256').update(`${region}/${stackName}/${logicalId}`).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

export const kms: ServiceDefinition = {
  name: 'kms',
  sdk: '@aws-sdk/client-kms',
  create(home): KmsService {
    const keyring = new Keyring(home);
    return {
      operations: keyOperations(home, keyring),
      keyArn: (keyId) => keyring.find(keyId).arn,
      requireUsable: (keyId) => void keyring.usable(keyId),
      resourcePolicy(arn) {
        const key = keyring.keys.get(arn.split('/').at(-1) ?? '');
        return key?.arn === arn ? keyring.policyWithGrants(key) : undefined;
      },
      resources: {
        ...provider<KeyProperties>(
          'AWS::KMS::Key',
          [
            'Description',
            'KeyPolicy',
            'Enabled',
            'EnableKeyRotation',
            'RotationPeriodInDays',
            'PendingWindowInDays',
            'KeySpec',
            'KeyUsage',
            'Tags',
          ],
          (properties, context) => {
            const { logicalId } = context;
            if (
              (properties.KeySpec ?? 'SYMMETRIC_DEFAULT') !== 'SYMMETRIC_DEFAULT' ||
              (properties.KeyUsage ?? 'ENCRYPT_DECRYPT') !== 'ENCRYPT_DECRYPT'
            ) {
              throw new AwsError('NotImplemented', `${logicalId}: only symmetric encryption keys`);
            }
            const policy = properties.KeyPolicy && parsePolicy(properties.KeyPolicy, 'resource');
            const key = keyring.create(properties.Description, policy, { id: keyIdOf(context) });
            if (isTrue(properties.EnableKeyRotation))
              key.rotationPeriodDays = Number(properties.RotationPeriodInDays ?? 365);
            if (properties.Enabled !== undefined && !isTrue(properties.Enabled)) key.state = 'Disabled';
            for (const { Key, Value } of properties.Tags ?? []) key.tags.set(Key, Value);
            return { ref: key.id, attributes: { Arn: key.arn, KeyId: key.id } };
          },
        ),
        ...provider<AliasProperties>('AWS::KMS::Alias', ['AliasName', 'TargetKeyId'], ({ AliasName, TargetKeyId }) => {
          keyring.aliases.set(AliasName, keyring.find(TargetKeyId).id);
          return { ref: AliasName };
        }),
      },
    };
  },
};
