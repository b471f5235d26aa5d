/** The Secrets Manager API over the store. */
import type * as Sm from '@aws-sdk/client-secrets-manager';
import { type Access, AwsError, type Home, type Operation } from '../../kernel.ts';
import { operation, page } from '../declare.ts';
import { type KmsService, keyAccess } from '../kms/index.ts';
import { replicate, unreplicate } from './replication.ts';
import type { Secret, SecretStore, SecretVersion } from './store.ts';

const DAY = 86_400_000;
type ById = { SecretId?: string | undefined };

export function secretOperations(home: Home, store: SecretStore): Record<string, Operation> {
  const on =
    (action: string, ...keyActions: string[]) =>
    (input: ById): Access[] =>
      secretAccess(home, store, `secretsmanager:${action}`, input.SecretId ?? '', keyActions);
  return {
    GetSecretValue: operation<Sm.GetSecretValueCommandInput, Sm.GetSecretValueCommandOutput>(
      ['SecretId', 'VersionId', 'VersionStage'],
      (input) => {
        const [secret, ...keys] = on('GetSecretValue', 'Decrypt')(input);
        const conditions = {
          ...secret?.conditions,
          'secretsmanager:VersionId': input.VersionId,
          'secretsmanager:VersionStage': input.VersionStage ?? (input.VersionId ? undefined : 'AWSCURRENT'),
        };
        return secret ? [{ ...secret, conditions }, ...keys] : [];
      },
      (input) => {
        const secret = store.usable(input.SecretId ?? '');
        requireKey(home, secret.keyId);
        const version = store.version(secret, input.VersionId, input.VersionStage);
        return {
          ...identity(secret, version),
          SecretString: version.string,
          SecretBinary: version.binary,
          VersionStages: [...version.stages],
          CreatedDate: version.createdAt,
        };
      },
    ),
    DescribeSecret: operation<Sm.DescribeSecretCommandInput, Sm.DescribeSecretCommandOutput>(
      ['SecretId'],
      on('DescribeSecret'),
      (input) => {
        const secret = store.find(input.SecretId ?? '');
        return {
          ...listed(secret),
          VersionIdsToStages: Object.fromEntries(
            secret.versions.filter(({ stages }) => stages.length).map(({ id, stages }) => [id, [...stages]]),
          ),
          ReplicationStatus: secret.replicas.size ? replicaStatus(secret) : undefined,
        };
      },
    ),
    ListSecrets: operation<Sm.ListSecretsCommandInput, Sm.ListSecretsCommandOutput>(
      ['MaxResults', 'NextToken', 'Filters', 'IncludePlannedDeletion'],
      () => ({ action: 'secretsmanager:ListSecrets', resources: ['*'] }),
      (input) => {
        const all = store
          .all()
          .filter(
            (secret) =>
              (input.IncludePlannedDeletion || !secret.deletedAt) &&
              (input.Filters ?? []).every((filter) => matches(secret, filter)),
          );
        const { items, next } = page(all, input.NextToken, input.MaxResults ?? 100);
        return {
          SecretList: items.map((secret) => ({ ...listed(secret), SecretVersionsToStages: undefined })),
          NextToken: next,
        };
      },
    ),
    GetResourcePolicy: operation<Sm.GetResourcePolicyCommandInput, Sm.GetResourcePolicyCommandOutput>(
      ['SecretId'],
      on('GetResourcePolicy'),
      (input) => {
        const secret = store.find(input.SecretId ?? '');
        return { ARN: secret.arn, Name: secret.name, ResourcePolicy: secret.policy };
      },
    ),
    ...writeOperations(home, store, on),
    ...lifecycleOperations(home, store, on),
  };
}

type On = (action: string, ...keyActions: string[]) => (input: ById) => Access[];

function writeOperations(home: Home, store: SecretStore, on: On): Record<string, Operation> {
  return {
    CreateSecret: operation<Sm.CreateSecretCommandInput, Sm.CreateSecretCommandOutput>(
      [
        'Name',
        'ClientRequestToken',
        'Description',
        'KmsKeyId',
        'SecretString',
        'SecretBinary',
        'Tags',
        'AddReplicaRegions',
        'ForceOverwriteReplicaSecret',
      ],
      (input) => [
        {
          action: 'secretsmanager:CreateSecret',
          // The suffix is not known yet: IAM is asked for the name followed by a wildcard's worth of question marks.
          resources: [`arn:aws:secretsmanager:${home.region}:${home.account}:secret:${input.Name}-??????`],
          conditions: {
            'secretsmanager:Name': input.Name,
            'secretsmanager:KmsKeyId': input.KmsKeyId,
            ...requestTags(input.Tags),
          },
        },
        ...(input.KmsKeyId ? keyAccess(home, 'secretsmanager', ['GenerateDataKey', 'Decrypt'], input.KmsKeyId) : []),
      ],
      (input) => {
        requireKey(home, input.KmsKeyId);
        const secret = store.create(input.Name ?? '', { description: input.Description, keyId: input.KmsKeyId });
        for (const tag of input.Tags ?? []) secret.tags.set(tag.Key ?? '', tag.Value ?? '');
        const hasValue = input.SecretString !== undefined || input.SecretBinary !== undefined;
        const version = hasValue
          ? store.addVersion(secret, {
              string: input.SecretString,
              binary: input.SecretBinary,
              token: input.ClientRequestToken,
            })
          : undefined;
        replicate(home, secret, input.AddReplicaRegions ?? [], input.ForceOverwriteReplicaSecret);
        return {
          ...identity(secret, version),
          ReplicationStatus: secret.replicas.size ? replicaStatus(secret) : undefined,
        };
      },
    ),
    PutSecretValue: operation<Sm.PutSecretValueCommandInput, Sm.PutSecretValueCommandOutput>(
      ['SecretId', 'ClientRequestToken', 'SecretString', 'SecretBinary', 'VersionStages'],
      on('PutSecretValue', 'GenerateDataKey', 'Decrypt'),
      (input) => {
        const secret = store.writable(input.SecretId ?? '');
        requireKey(home, secret.keyId);
        const version = store.addVersion(secret, {
          string: input.SecretString,
          binary: input.SecretBinary,
          token: input.ClientRequestToken,
          stages: input.VersionStages,
        });
        replicate(home, secret);
        return { ...identity(secret, version), VersionStages: [...version.stages] };
      },
    ),
    UpdateSecret: operation<Sm.UpdateSecretCommandInput, Sm.UpdateSecretCommandOutput>(
      ['SecretId', 'ClientRequestToken', 'Description', 'KmsKeyId', 'SecretString', 'SecretBinary'],
      on('UpdateSecret', 'GenerateDataKey', 'Decrypt'),
      (input) => {
        const secret = store.writable(input.SecretId ?? '');
        requireKey(home, input.KmsKeyId ?? secret.keyId);
        if (input.Description !== undefined) secret.description = input.Description;
        if (input.KmsKeyId !== undefined) secret.keyId = input.KmsKeyId;
        const hasValue = input.SecretString !== undefined || input.SecretBinary !== undefined;
        const version = hasValue
          ? store.addVersion(secret, {
              string: input.SecretString,
              binary: input.SecretBinary,
              token: input.ClientRequestToken,
            })
          : undefined;
        store.changed(secret);
        replicate(home, secret);
        return identity(secret, version);
      },
    ),
    UpdateSecretVersionStage: operation<
      Sm.UpdateSecretVersionStageCommandInput,
      Sm.UpdateSecretVersionStageCommandOutput
    >(
      ['SecretId', 'VersionStage', 'MoveToVersionId', 'RemoveFromVersionId'],
      on('UpdateSecretVersionStage'),
      (input) => {
        const secret = store.writable(input.SecretId ?? '');
        const stage = input.VersionStage ?? '';
        const holder = secret.versions.find(({ stages }) => stages.includes(stage));
        if (holder && holder.id !== input.RemoveFromVersionId) {
          throw new AwsError(
            'InvalidParameterException',
            `The parameter RemoveFromVersionId can't be empty. Staging label ${stage} is currently attached to version ${holder.id}, so you must explicitly reference that version in RemoveFromVersionId.`,
          );
        }
        store.moveStage(
          secret,
          stage,
          input.MoveToVersionId ? store.version(secret, input.MoveToVersionId, undefined) : undefined,
        );
        store.changed(secret);
        replicate(home, secret);
        return { ARN: secret.arn, Name: secret.name };
      },
    ),
    TagResource: operation<Sm.TagResourceCommandInput>(
      ['SecretId', 'Tags'],
      (input) =>
        on('TagResource')(input).map((access) => ({
          ...access,
          conditions: { ...access.conditions, ...requestTags(input.Tags) },
        })),
      (input) => {
        const secret = store.writable(input.SecretId ?? '');
        for (const tag of input.Tags ?? []) secret.tags.set(tag.Key ?? '', tag.Value ?? '');
        replicate(home, secret);
        return {};
      },
    ),
  };
}

function lifecycleOperations(home: Home, store: SecretStore, on: On): Record<string, Operation> {
  return {
    DeleteSecret: operation<Sm.DeleteSecretCommandInput, Sm.DeleteSecretCommandOutput>(
      ['SecretId', 'RecoveryWindowInDays', 'ForceDeleteWithoutRecovery'],
      (input) =>
        on('DeleteSecret')(input).map((access) => ({
          ...access,
          conditions: {
            ...access.conditions,
            'secretsmanager:ForceDeleteWithoutRecovery':
              input.ForceDeleteWithoutRecovery === undefined ? undefined : String(input.ForceDeleteWithoutRecovery),
            'secretsmanager:RecoveryWindowInDays':
              input.RecoveryWindowInDays === undefined ? undefined : String(input.RecoveryWindowInDays),
          },
        })),
      (input) => {
        const { SecretId = '', RecoveryWindowInDays: days, ForceDeleteWithoutRecovery: force } = input;
        if (force && days !== undefined)
          throw new AwsError(
            'InvalidParameterException',
            "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
          );
        if (days !== undefined && (days < 7 || days > 30))
          throw new AwsError(
            'InvalidParameterException',
            'The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).',
          );
        const secret = store.writable(SecretId);
        if (secret.replicas.size)
          throw new AwsError(
            'InvalidRequestException',
            `You can't delete secret ${secret.name} that still has replica regions ${[...secret.replicas.keys()]}`,
          );
        secret.deletedAt = new Date(home.clock.now());
        secret.deletionAt = new Date(home.clock.now() + (force ? 0 : (days ?? 30) * DAY));
        if (force) store.remove(secret);
        return { ARN: secret.arn, Name: secret.name, DeletionDate: secret.deletionAt };
      },
    ),
    RestoreSecret: operation<Sm.RestoreSecretCommandInput, Sm.RestoreSecretCommandOutput>(
      ['SecretId'],
      on('RestoreSecret'),
      (input) => {
        const secret = store.find(input.SecretId ?? '');
        delete secret.deletedAt;
        delete secret.deletionAt;
        return { ARN: secret.arn, Name: secret.name };
      },
    ),
    ReplicateSecretToRegions: operation<
      Sm.ReplicateSecretToRegionsCommandInput,
      Sm.ReplicateSecretToRegionsCommandOutput
    >(
      ['SecretId', 'AddReplicaRegions', 'ForceOverwriteReplicaSecret'],
      (input) =>
        on(
          'ReplicateSecretToRegions',
          'Decrypt',
        )(input).map((access, index) =>
          index === 0
            ? {
                ...access,
                conditions: {
                  ...access.conditions,
                  'secretsmanager:AddReplicaRegions': (input.AddReplicaRegions ?? []).map(({ Region }) => Region ?? ''),
                },
              }
            : access,
        ),
      (input) => {
        const secret = store.writable(input.SecretId ?? '');
        replicate(home, secret, input.AddReplicaRegions ?? [], input.ForceOverwriteReplicaSecret);
        return { ARN: secret.arn, ReplicationStatus: replicaStatus(secret) };
      },
    ),
    RemoveRegionsFromReplication: operation<
      Sm.RemoveRegionsFromReplicationCommandInput,
      Sm.RemoveRegionsFromReplicationCommandOutput
    >(['SecretId', 'RemoveReplicaRegions'], on('RemoveRegionsFromReplication'), (input) => {
      const secret = store.writable(input.SecretId ?? '');
      unreplicate(home, secret, input.RemoveReplicaRegions ?? []);
      return { ARN: secret.arn, ReplicationStatus: replicaStatus(secret) };
    }),
  };
}

/** Every action presents the full ARN with its suffix, also where the request used the name. */
function secretAccess(
  home: Home,
  store: SecretStore,
  action: string,
  secretId: string,
  keyActions: readonly string[],
): Access[] {
  const secret = store.lookup(secretId);
  const arn =
    secret?.arn ??
    (secretId.startsWith('arn:')
      ? secretId
      : `arn:aws:secretsmanager:${home.region}:${home.account}:secret:${secretId}`);
  const tags = [...(secret?.tags ?? [])].flatMap(([key, value]) => [
    [`aws:ResourceTag/${key}`, value],
    [`secretsmanager:ResourceTag/${key}`, value],
  ]);
  const conditions = {
    'secretsmanager:SecretId': arn,
    ...(secret && { 'secretsmanager:SecretPrimaryRegion': secret.primaryRegion }),
    ...Object.fromEntries(tags),
  };
  const keys =
    secret?.keyId && keyActions.length > 0
      ? keyAccess(home, 'secretsmanager', keyActions, secret.keyId, { SecretARN: secret.arn })
      : [];
  return [{ action, resources: [arn], conditions }, ...keys];
}

function requireKey(home: Home, keyId: string | undefined): void {
  if (!keyId) return;
  try {
    (home.service('kms') as KmsService).requireUsable(keyId);
  } catch (error) {
    throw new AwsError(
      'DecryptionFailure',
      `Secrets Manager can't use the KMS key: ${error instanceof Error ? error.message : error}`,
    );
  }
}

const identity = (secret: Secret, version?: SecretVersion) => ({
  ARN: secret.arn,
  Name: secret.name,
  VersionId: version?.id,
});

const listed = (secret: Secret) => ({
  ARN: secret.arn,
  Name: secret.name,
  Description: secret.description,
  KmsKeyId: secret.keyId,
  RotationEnabled: false,
  LastChangedDate: secret.changedAt,
  DeletedDate: secret.deletedAt,
  CreatedDate: secret.createdAt,
  PrimaryRegion: secret.primaryRegion,
  Tags: [...secret.tags].map(([Key, Value]) => ({ Key, Value })),
});

const replicaStatus = (secret: Secret): Sm.ReplicationStatusType[] =>
  [...secret.replicas].map(([Region, { keyId }]) => ({
    Region,
    KmsKeyId: keyId ?? 'alias/aws/secretsmanager',
    Status: 'InSync',
  }));

function matches(secret: Secret, { Key, Values = [] }: Sm.Filter): boolean {
  const prefix = (actual: string | undefined) =>
    Values.some((value) => (value.startsWith('!') ? !actual?.startsWith(value.slice(1)) : actual?.startsWith(value)));
  if (Key === 'name') return prefix(secret.name);
  if (Key === 'description') return prefix(secret.description);
  if (Key === 'tag-key') return [...secret.tags.keys()].some(prefix);
  if (Key === 'tag-value') return [...secret.tags.values()].some(prefix);
  if (Key === 'primary-region') return prefix(secret.primaryRegion);
  throw new AwsError('InvalidParameterException', `The embedded cloud knows no secret filter ${Key}.`);
}

const requestTags = (tags: readonly Sm.Tag[] | undefined): Record<string, string | string[]> => ({
  ...Object.fromEntries((tags ?? []).map((tag) => [`aws:RequestTag/${tag.Key}`, tag.Value ?? ''])),
  ...(tags?.length && { 'aws:TagKeys': tags.map((tag) => tag.Key ?? '') }),
});
