/** The keys of one Region: their material, state and policy, and what their aliases resolve to. Ciphertext is AES-256-GCM under the key's own material. */
import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto';
import { AwsError, type Home, type PolicyDocument, type PolicyStatement } from '../../kernel.ts';
import { accountRoot } from '../declare.ts';

export interface Grant {
  readonly id: string;
  readonly token: string;
  readonly grantee: string;
  readonly operations: readonly string[];
  readonly name?: string;
  readonly retiringPrincipal?: string;
  readonly constraints?: {
    EncryptionContextEquals?: Record<string, string>;
    EncryptionContextSubset?: Record<string, string>;
  };
  readonly createdAt: Date;
}

export interface Key {
  readonly id: string;
  readonly arn: string;
  readonly material: Buffer;
  readonly createdAt: Date;
  readonly manager: 'AWS' | 'CUSTOMER';
  description: string;
  state: 'Enabled' | 'Disabled' | 'PendingDeletion';
  deletionAt?: Date;
  rotationPeriodDays?: number;
  policy: PolicyDocument;
  tags: Map<string, string>;
  readonly grants: Map<string, Grant>;
}

export type EncryptionContext = Readonly<Record<string, string>>;

export class Keyring {
  readonly #keys = new Map<string, Key>();
  /** Alias name to key id. */
  readonly aliases = new Map<string, string>();
  readonly #home: Home;
  constructor(home: Home) {
    this.#home = home;
  }

  /** By id, without those whose waiting period is over: with such a key go its aliases, and all that it encrypted. */
  get keys(): ReadonlyMap<string, Key> {
    const now = this.#home.clock.now();
    for (const { id, deletionAt } of this.#keys.values()) {
      if (deletionAt === undefined || deletionAt.getTime() > now) continue;
      this.#keys.delete(id);
      for (const [alias, target] of this.aliases) if (target === id) this.aliases.delete(alias);
    }
    return this.#keys;
  }

  create(
    description = '',
    policy?: PolicyDocument,
    { manager = 'CUSTOMER', id = randomUUID() }: { manager?: Key['manager']; id?: string } = {},
  ): Key {
    const key: Key = {
      id,
      arn: `arn:aws:kms:${this.#home.region}:${this.#home.account}:key/${id}`,
      material: randomBytes(32),
      createdAt: new Date(this.#home.clock.now()),
      manager,
      description,
      state: 'Enabled',
      policy: policy ?? defaultPolicy(this.#home.account),
      tags: new Map(),
      grants: new Map(),
    };
    this.#keys.set(id, key);
    return key;
  }

  /** Takes a key id, a key ARN, an alias name or an alias ARN. AWS-managed keys come into being at their first use. */
  find(keyId: string): Key {
    const [, region, name = keyId] = /^arn:aws:kms:([^:]+):\d+:(.+)$/.exec(keyId) ?? [];
    if (region && region !== this.#home.region)
      throw new AwsError('NotFoundException', `Key '${keyId}' does not exist in ${this.#home.region}`);
    const id = name.startsWith('alias/')
      ? (this.aliases.get(name) ?? this.#managed(name)?.id)
      : name.replace(/^key\//, '');
    const key = this.keys.get(id ?? '');
    if (!key)
      throw new AwsError(
        'NotFoundException',
        name.startsWith('alias/') ? `Alias ${keyId} is not found.` : `Key '${keyId}' does not exist`,
      );
    return key;
  }

  /** The key, if cryptography may be done with it now: a disabled key refuses with DisabledException, one to be deleted with KMSInvalidStateException. */
  usable(keyId: string): Key {
    const key = this.find(keyId);
    if (key.state === 'Disabled') throw new AwsError('DisabledException', `${key.arn} is disabled.`);
    if (key.state === 'PendingDeletion')
      throw new AwsError('KMSInvalidStateException', `${key.arn} is pending deletion.`);
    return key;
  }

  encrypt(key: Key, plaintext: Uint8Array, context: EncryptionContext = {}): Buffer {
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', key.material, iv).setAAD(canonical(context));
    const body = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    return Buffer.concat([Buffer.from(key.id), iv, cipher.getAuthTag(), body]);
  }

  /** Which key a ciphertext was made with. Symmetric ciphertext says so itself. */
  keyOf(ciphertext: Uint8Array): Key {
    const key = this.keys.get(Buffer.from(ciphertext.subarray(0, 36)).toString());
    if (!key)
      throw new AwsError('InvalidCiphertextException', 'The ciphertext is corrupted or was made in another Region.');
    return key;
  }

  decrypt(key: Key, ciphertext: Uint8Array, context: EncryptionContext = {}): Buffer {
    const [iv, tag, body] = [ciphertext.subarray(36, 48), ciphertext.subarray(48, 64), ciphertext.subarray(64)];
    try {
      const decipher = createDecipheriv('aes-256-gcm', key.material, iv).setAAD(canonical(context)).setAuthTag(tag);
      return Buffer.concat([decipher.update(body), decipher.final()]);
    } catch {
      throw new AwsError(
        'InvalidCiphertextException',
        'The ciphertext or its encryption context is not what was encrypted.',
      );
    }
  }

  /** The key policy, and its grants as the statements that they amount to. */
  policyWithGrants(key: Key): PolicyDocument {
    if (key.grants.size === 0) return key.policy;
    return { ...key.policy, Statement: [...key.policy.Statement, ...[...key.grants.values()].map(statementOf)] };
  }

  #managed(alias: string): Key | undefined {
    const service = /^alias\/aws\/([a-z0-9-]+)$/.exec(alias)?.[1];
    if (!service) return undefined;
    const key = this.create(`Default key for ${service}`, managedPolicy(this.#home, service), { manager: 'AWS' });
    this.aliases.set(alias, key.id);
    return key;
  }
}

const canonical = (context: EncryptionContext): Buffer =>
  Buffer.from(JSON.stringify(Object.entries(context).toSorted(([a], [b]) => (a < b ? -1 : 1))));

function statementOf(grant: Grant): PolicyStatement {
  const wanted = { ...grant.constraints?.EncryptionContextSubset, ...grant.constraints?.EncryptionContextEquals };
  const context = Object.fromEntries(
    Object.entries(wanted).map(([name, value]) => [`kms:EncryptionContext:${name}`, value]),
  );
  return {
    Sid: `Grant${grant.id}`,
    Effect: 'Allow',
    Principal: grant.grantee.endsWith('.amazonaws.com') ? { Service: grant.grantee } : { AWS: grant.grantee },
    Action: grant.operations.map((operation) => `kms:${operation}`),
    Resource: '*',
    ...(Object.keys(context).length > 0 && { Condition: { StringEquals: context } }),
  };
}

/** What KMS gives a key made without a policy: the account decides through IAM. */
function defaultPolicy(account: string): PolicyDocument {
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'Enable IAM User Permissions',
        Effect: 'Allow',
        Principal: { AWS: accountRoot(account) },
        Action: 'kms:*',
        Resource: '*',
      },
    ],
  };
}

/** An AWS-managed key is open to whoever in the account comes through its service. */
function managedPolicy(home: Home, service: string): PolicyDocument {
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'Allow access through the service for all principals in the account that are authorized to use it',
        Effect: 'Allow',
        Principal: { AWS: '*' },
        Action: [
          'kms:Encrypt',
          'kms:Decrypt',
          'kms:ReEncrypt*',
          'kms:GenerateDataKey*',
          'kms:CreateGrant',
          'kms:DescribeKey',
        ],
        Resource: '*',
        Condition: {
          StringEquals: {
            'kms:CallerAccount': home.account,
            'kms:ViaService': `${service}.${home.region}.amazonaws.com`,
          },
        },
      },
      {
        Sid: 'Allow direct access to key metadata to the account',
        Effect: 'Allow',
        Principal: { AWS: accountRoot(home.account) },
        Action: ['kms:Describe*', 'kms:Get*', 'kms:List*', 'kms:RevokeGrant'],
        Resource: '*',
      },
    ],
  };
}
