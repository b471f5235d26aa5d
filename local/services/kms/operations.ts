/** The KMS API over the keyring. */
import { randomBytes, randomUUID } from 'node:crypto';
import type * as Kms from '@aws-sdk/client-kms';
import { parsePolicy } from '../../authorization/policy.ts';
import { type Access, AwsError, type Home, type Operation, type PolicyDocument } from '../../kernel.ts';
import { operation, page } from '../declare.ts';
import type { EncryptionContext, Key, Keyring } from './keyring.ts';

const DAY = 86_400_000;

export function keyOperations(home: Home, keyring: Keyring): Record<string, Operation> {
  const onKey =
    (action: string) =>
    (input: { KeyId?: string | undefined }): Access =>
      keyAccess(home, keyring, action, input.KeyId ?? '');
  const onCiphertext =
    (action: string) =>
    (input: { CiphertextBlob?: Uint8Array | undefined; EncryptionContext?: EncryptionContext | undefined }): Access =>
      keyAccess(home, keyring, action, keyring.keyOf(bytes(input.CiphertextBlob)).arn, input.EncryptionContext);
  const crypto =
    (action: string) =>
    (input: { KeyId?: string | undefined; EncryptionContext?: EncryptionContext | undefined }): Access =>
      keyAccess(home, keyring, action, input.KeyId ?? '', input.EncryptionContext);

  return {
    CreateKey: operation<Kms.CreateKeyCommandInput, Kms.CreateKeyCommandOutput>(
      ['Description', 'Policy', 'KeyUsage', 'KeySpec', 'Origin', 'Tags', 'BypassPolicyLockoutSafetyCheck'],
      () => ({ action: 'kms:CreateKey', resources: ['*'] }),
      (input) => {
        if ((input.KeySpec ?? 'SYMMETRIC_DEFAULT') !== 'SYMMETRIC_DEFAULT')
          throw new AwsError('NotImplemented', `KeySpec ${input.KeySpec}`);
        if ((input.KeyUsage ?? 'ENCRYPT_DECRYPT') !== 'ENCRYPT_DECRYPT')
          throw new AwsError('NotImplemented', `KeyUsage ${input.KeyUsage}`);
        if ((input.Origin ?? 'AWS_KMS') !== 'AWS_KMS') throw new AwsError('NotImplemented', `Origin ${input.Origin}`);
        const key = keyring.create(input.Description, input.Policy ? keyPolicy(input.Policy) : undefined);
        for (const tag of input.Tags ?? []) key.tags.set(tag.TagKey ?? '', tag.TagValue ?? '');
        return { KeyMetadata: describe(home, key) };
      },
    ),
    DescribeKey: operation<Kms.DescribeKeyCommandInput, Kms.DescribeKeyCommandOutput>(
      ['KeyId', 'GrantTokens'],
      onKey('kms:DescribeKey'),
      (input) => ({
        KeyMetadata: describe(home, keyring.find(input.KeyId ?? '')),
      }),
    ),
    ListKeys: operation<Kms.ListKeysCommandInput, Kms.ListKeysCommandOutput>(
      ['Limit', 'Marker'],
      () => ({ action: 'kms:ListKeys', resources: ['*'] }),
      (input) => {
        const { items, next } = page([...keyring.keys.values()], input.Marker, input.Limit ?? 100);
        return {
          Keys: items.map((key) => ({ KeyId: key.id, KeyArn: key.arn })),
          Truncated: next !== undefined,
          NextMarker: next,
        };
      },
    ),
    Encrypt: operation<Kms.EncryptCommandInput, Kms.EncryptCommandOutput>(
      ['KeyId', 'Plaintext', 'EncryptionContext', 'GrantTokens', 'EncryptionAlgorithm'],
      crypto('kms:Encrypt'),
      (input) => {
        const key = keyring.usable(input.KeyId ?? '');
        return {
          KeyId: key.arn,
          CiphertextBlob: keyring.encrypt(key, bytes(input.Plaintext), input.EncryptionContext),
          EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
        };
      },
    ),
    Decrypt: operation<Kms.DecryptCommandInput, Kms.DecryptCommandOutput>(
      ['CiphertextBlob', 'KeyId', 'EncryptionContext', 'GrantTokens', 'EncryptionAlgorithm'],
      onCiphertext('kms:Decrypt'),
      (input) => {
        const key = keyring.usable(keyring.keyOf(bytes(input.CiphertextBlob)).id);
        if (input.KeyId && keyring.find(input.KeyId) !== key)
          throw new AwsError('IncorrectKeyException', 'The key that was given did not encrypt this ciphertext.');
        return {
          KeyId: key.arn,
          Plaintext: keyring.decrypt(key, bytes(input.CiphertextBlob), input.EncryptionContext),
          EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
        };
      },
    ),
    GenerateDataKey: operation<Kms.GenerateDataKeyCommandInput, Kms.GenerateDataKeyCommandOutput>(
      ['KeyId', 'KeySpec', 'NumberOfBytes', 'EncryptionContext', 'GrantTokens'],
      crypto('kms:GenerateDataKey'),
      (input) => {
        const key = keyring.usable(input.KeyId ?? '');
        const plaintext = randomBytes(dataKeyLength(input));
        return {
          KeyId: key.arn,
          Plaintext: plaintext,
          CiphertextBlob: keyring.encrypt(key, plaintext, input.EncryptionContext),
        };
      },
    ),
    EnableKey: operation<Kms.EnableKeyCommandInput>(['KeyId'], onKey('kms:EnableKey'), (input) =>
      setState(keyring.find(input.KeyId ?? ''), 'Enabled'),
    ),
    DisableKey: operation<Kms.DisableKeyCommandInput>(['KeyId'], onKey('kms:DisableKey'), (input) =>
      setState(keyring.find(input.KeyId ?? ''), 'Disabled'),
    ),
    ScheduleKeyDeletion: operation<Kms.ScheduleKeyDeletionCommandInput, Kms.ScheduleKeyDeletionCommandOutput>(
      ['KeyId', 'PendingWindowInDays'],
      (input) => {
        const access = onKey('kms:ScheduleKeyDeletion')(input);
        const days = input.PendingWindowInDays;
        const window = days === undefined ? {} : { 'kms:ScheduleKeyDeletionPendingWindowInDays': String(days) };
        return { ...access, conditions: { ...access.conditions, ...window } };
      },
      (input) => {
        const key = keyring.find(input.KeyId ?? '');
        const days = input.PendingWindowInDays ?? 30;
        if (days < 7 || days > 30)
          throw new AwsError('ValidationException', 'PendingWindowInDays must be between 7 and 30 days (inclusive).');
        setState(key, 'PendingDeletion');
        key.deletionAt = new Date(home.clock.now() + days * DAY);
        return { KeyId: key.arn, DeletionDate: key.deletionAt, KeyState: key.state, PendingWindowInDays: days };
      },
    ),
    CancelKeyDeletion: operation<Kms.CancelKeyDeletionCommandInput, Kms.CancelKeyDeletionCommandOutput>(
      ['KeyId'],
      onKey('kms:CancelKeyDeletion'),
      (input) => {
        const key = keyring.find(input.KeyId ?? '');
        if (key.state !== 'PendingDeletion')
          throw new AwsError('KMSInvalidStateException', `${key.arn} is not pending deletion.`);
        key.state = 'Disabled'; // a key taken back from deletion comes back disabled
        delete key.deletionAt;
        return { KeyId: key.arn };
      },
    ),
    GetKeyPolicy: operation<Kms.GetKeyPolicyCommandInput, Kms.GetKeyPolicyCommandOutput>(
      ['KeyId', 'PolicyName'],
      onKey('kms:GetKeyPolicy'),
      (input) => ({
        Policy: JSON.stringify(keyring.find(input.KeyId ?? '').policy),
        PolicyName: 'default',
      }),
    ),
    PutKeyPolicy: operation<Kms.PutKeyPolicyCommandInput>(
      ['KeyId', 'Policy', 'PolicyName', 'BypassPolicyLockoutSafetyCheck'],
      onKey('kms:PutKeyPolicy'),
      (input) => {
        keyring.find(input.KeyId ?? '').policy = keyPolicy(input.Policy ?? '');
        return {};
      },
    ),
    GetKeyRotationStatus: operation<Kms.GetKeyRotationStatusCommandInput, Kms.GetKeyRotationStatusCommandOutput>(
      ['KeyId'],
      onKey('kms:GetKeyRotationStatus'),
      (input) => {
        const key = keyring.find(input.KeyId ?? '');
        return {
          KeyId: key.arn,
          KeyRotationEnabled: key.rotationPeriodDays !== undefined,
          RotationPeriodInDays: key.rotationPeriodDays,
        };
      },
    ),
    ListResourceTags: operation<Kms.ListResourceTagsCommandInput, Kms.ListResourceTagsCommandOutput>(
      ['KeyId'],
      onKey('kms:ListResourceTags'),
      (input) => ({
        Tags: [...keyring.find(input.KeyId ?? '').tags].map(([TagKey, TagValue]) => ({ TagKey, TagValue })),
        Truncated: false,
      }),
    ),
    TagResource: operation<Kms.TagResourceCommandInput>(['KeyId', 'Tags'], onKey('kms:TagResource'), (input) => {
      const { tags } = unlessPending(keyring.find(input.KeyId ?? ''));
      for (const tag of input.Tags ?? []) tags.set(tag.TagKey ?? '', tag.TagValue ?? '');
      return {};
    }),
    ...aliasOperations(home, keyring),
    ...grantOperations(home, keyring),
  };
}

function aliasOperations(home: Home, keyring: Keyring): Record<string, Operation> {
  const aliasArn = (name: string) => `arn:aws:kms:${home.region}:${home.account}:${name}`;
  return {
    CreateAlias: operation<Kms.CreateAliasCommandInput>(
      ['AliasName', 'TargetKeyId'],
      (input) => ({
        action: 'kms:CreateAlias',
        resources: [aliasArn(input.AliasName ?? ''), keyring.find(input.TargetKeyId ?? '').arn],
      }),
      (input) => {
        const name = input.AliasName ?? '';
        if (keyring.aliases.has(name))
          throw new AwsError('AlreadyExistsException', `An alias with the name ${aliasArn(name)} already exists`);
        keyring.aliases.set(name, unlessPending(keyring.find(input.TargetKeyId ?? '')).id);
        return {};
      },
    ),
    DeleteAlias: operation<Kms.DeleteAliasCommandInput>(
      ['AliasName'],
      (input) => ({
        action: 'kms:DeleteAlias',
        resources: [aliasArn(input.AliasName ?? ''), keyring.find(input.AliasName ?? '').arn],
      }),
      (input) => {
        if (!keyring.aliases.delete(input.AliasName ?? ''))
          throw new AwsError('NotFoundException', `Alias ${input.AliasName} is not found.`);
        return {};
      },
    ),
    ListAliases: operation<Kms.ListAliasesCommandInput, Kms.ListAliasesCommandOutput>(
      ['KeyId', 'Limit', 'Marker'],
      () => ({ action: 'kms:ListAliases', resources: ['*'] }),
      (input) => {
        const only = input.KeyId ? keyring.find(input.KeyId).id : undefined;
        const all = [...keyring.aliases].filter(([, id]) => !only || id === only);
        const { items, next } = page(all, input.Marker, input.Limit ?? 50);
        return {
          Aliases: items.map(([AliasName, TargetKeyId]) => ({ AliasName, AliasArn: aliasArn(AliasName), TargetKeyId })),
          Truncated: next !== undefined,
          NextMarker: next,
        };
      },
    ),
  };
}

function grantOperations(home: Home, keyring: Keyring): Record<string, Operation> {
  return {
    CreateGrant: operation<Kms.CreateGrantCommandInput, Kms.CreateGrantCommandOutput>(
      ['KeyId', 'GranteePrincipal', 'Operations', 'Constraints', 'Name', 'RetiringPrincipal', 'GrantTokens'],
      (input) => ({
        action: 'kms:CreateGrant',
        resources: [keyring.find(input.KeyId ?? '').arn],
        conditions: {
          ...via(home, input.KeyId),
          'kms:GrantOperations': input.Operations,
          'kms:GranteePrincipal': input.GranteePrincipal,
        },
      }),
      (input) => {
        const key = keyring.usable(input.KeyId ?? '');
        const grant = {
          id: randomBytes(32).toString('hex'),
          token: randomUUID(),
          grantee: input.GranteePrincipal ?? '',
          operations: input.Operations ?? [],
          ...(input.Name && { name: input.Name }),
          ...(input.RetiringPrincipal && { retiringPrincipal: input.RetiringPrincipal }),
          ...(input.Constraints && { constraints: input.Constraints }),
          createdAt: new Date(home.clock.now()),
        };
        key.grants.set(grant.id, grant);
        return { GrantId: grant.id, GrantToken: grant.token };
      },
    ),
    ListGrants: operation<Kms.ListGrantsCommandInput, Kms.ListGrantsCommandOutput>(
      ['KeyId', 'GrantId', 'GranteePrincipal'],
      (input) => keyAccess(home, keyring, 'kms:ListGrants', input.KeyId ?? ''),
      (input) => {
        const key = keyring.find(input.KeyId ?? '');
        const wanted = [...key.grants.values()].filter(
          (grant) =>
            (!input.GrantId || grant.id === input.GrantId) &&
            (!input.GranteePrincipal || grant.grantee === input.GranteePrincipal),
        );
        return {
          Grants: wanted.map((grant) => ({
            KeyId: key.arn,
            GrantId: grant.id,
            Name: grant.name,
            GranteePrincipal: grant.grantee,
            RetiringPrincipal: grant.retiringPrincipal,
            Operations: [...grant.operations] as Kms.GrantOperation[],
            Constraints: grant.constraints,
            CreationDate: grant.createdAt,
            IssuingAccount: home.account,
          })),
          Truncated: false,
        };
      },
    ),
    RevokeGrant: operation<Kms.RevokeGrantCommandInput>(
      ['KeyId', 'GrantId'],
      (input) => keyAccess(home, keyring, 'kms:RevokeGrant', input.KeyId ?? ''),
      (input) => {
        if (!keyring.find(input.KeyId ?? '').grants.delete(input.GrantId ?? ''))
          throw new AwsError('NotFoundException', `Grant ID ${input.GrantId} not found`);
        return {};
      },
    ),
  };
}

/** An action on a key presents the key's ARN, whatever name the request used; the name itself is the condition `kms:RequestAlias`. */
function keyAccess(
  home: Home,
  keyring: Keyring,
  action: string,
  keyId: string,
  context: EncryptionContext = {},
): Access {
  const key = keyring.find(keyId);
  const contextKeys = Object.entries(context).map(([name, value]) => [`kms:EncryptionContext:${name}`, value]);
  const names = Object.keys(context);
  return {
    action,
    resources: [key.arn],
    conditions: {
      ...via(home, keyId),
      ...Object.fromEntries(contextKeys),
      ...(names.length > 0 && { 'kms:EncryptionContextKeys': names }),
    },
  };
}

const via = (home: Home, keyId = '') => ({
  'kms:CallerAccount': home.account,
  ...(keyId.includes('alias/') && { 'kms:RequestAlias': keyId.slice(keyId.indexOf('alias/')) }),
});

function describe(home: Home, key: Key): Kms.KeyMetadata {
  return {
    AWSAccountId: home.account,
    KeyId: key.id,
    Arn: key.arn,
    CreationDate: key.createdAt,
    Enabled: key.state === 'Enabled',
    Description: key.description,
    KeyUsage: 'ENCRYPT_DECRYPT',
    KeyState: key.state,
    DeletionDate: key.deletionAt,
    Origin: 'AWS_KMS',
    KeyManager: key.manager,
    KeySpec: 'SYMMETRIC_DEFAULT',
    CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
    EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
    MultiRegion: false,
  };
}

function setState(key: Key, state: Key['state']): object {
  unlessPending(key).state = state;
  return {};
}

/** Before the deletion is cancelled a key takes no change (Developer Guide, "Key state table"). */
function unlessPending(key: Key): Key {
  if (key.state === 'PendingDeletion')
    throw new AwsError('KMSInvalidStateException', `${key.arn} is pending deletion.`);
  return key;
}

function dataKeyLength(input: Kms.GenerateDataKeyCommandInput): number {
  if ((input.KeySpec === undefined) === (input.NumberOfBytes === undefined)) {
    throw new AwsError('ValidationException', 'Please specify either number of bytes or key spec.');
  }
  return input.NumberOfBytes ?? (input.KeySpec === 'AES_128' ? 16 : 32);
}

/** KMS has a name of its own for what IAM calls MalformedPolicyDocument. */
function keyPolicy(text: string): PolicyDocument {
  try {
    return parsePolicy(text, 'resource');
  } catch (cause) {
    if (!(cause instanceof AwsError) || cause.code !== 'MalformedPolicyDocument') throw cause;
    throw new AwsError('MalformedPolicyDocumentException', cause.message);
  }
}

const bytes = (value: Uint8Array | undefined): Uint8Array => value ?? new Uint8Array();
