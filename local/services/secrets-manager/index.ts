/** AWS Secrets Manager: versioned secrets, recovery windows, replicas in other Regions. */
import { randomInt } from 'node:crypto';
import { AwsError, type PolicyDocument, type ServiceDefinition } from '../../kernel.ts';
import { isTrue, provider, refuseUnknown } from '../declare.ts';
import { secretOperations } from './operations.ts';
import { replicate, type SecretsManagerService } from './replication.ts';
import { SecretStore } from './store.ts';

interface Generate {
  SecretStringTemplate?: string;
  GenerateStringKey?: string;
  PasswordLength?: number | string;
  ExcludeCharacters?: string;
  ExcludePunctuation?: boolean | string;
  IncludeSpace?: boolean | string;
}
interface SecretProperties {
  Name?: string;
  Description?: string;
  KmsKeyId?: string;
  SecretString?: string;
  GenerateSecretString?: Generate;
  ReplicaRegions?: { Region: string; KmsKeyId?: string }[];
  Tags?: { Key: string; Value: string }[];
}

export const secretsManager: ServiceDefinition = {
  name: 'secrets-manager',
  sdk: '@aws-sdk/client-secrets-manager',
  everywhere: true,
  create(home): SecretsManagerService {
    const store = new SecretStore(home);
    return {
      store,
      operations: secretOperations(home, store),
      resourcePolicy(arn) {
        const policy = store.lookup(arn)?.policy;
        return policy ? (JSON.parse(policy) as PolicyDocument) : undefined;
      },
      resources: {
        ...provider<SecretProperties>(
          'AWS::SecretsManager::Secret',
          ['Name', 'Description', 'KmsKeyId', 'SecretString', 'GenerateSecretString', 'ReplicaRegions', 'Tags'],
          (properties, context) => {
            const secret = store.create(properties.Name ?? `${context.logicalId}-${randomInt(36 ** 6).toString(36)}`, {
              description: properties.Description,
              keyId: properties.KmsKeyId,
            });
            for (const { Key, Value } of properties.Tags ?? []) secret.tags.set(Key, Value);
            // Neither a value nor a rule for one makes a secret without a version.
            const string = properties.GenerateSecretString
              ? generate(properties.GenerateSecretString)
              : properties.SecretString;
            if (string !== undefined) store.addVersion(secret, { string });
            replicate(home, secret, properties.ReplicaRegions);
            return { ref: secret.arn, attributes: { Id: secret.arn } };
          },
        ),
        ...provider<{ SecretId: string; ResourcePolicy: object; BlockPublicPolicy?: boolean }>(
          'AWS::SecretsManager::ResourcePolicy',
          ['SecretId', 'ResourcePolicy', 'BlockPublicPolicy'],
          ({ SecretId, ResourcePolicy }) => {
            store.writable(SecretId).policy = JSON.stringify(ResourcePolicy);
            return { ref: store.find(SecretId).arn };
          },
        ),
      },
    };
  },
};

function generate(rule: Generate): string {
  refuseUnknown('GenerateSecretString', rule, [
    'SecretStringTemplate',
    'GenerateStringKey',
    'PasswordLength',
    'ExcludeCharacters',
    'ExcludePunctuation',
    'IncludeSpace',
  ]);
  const punctuation = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';
  const classes = ['abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', '0123456789'];
  if (!isTrue(rule.ExcludePunctuation)) classes.push(punctuation);
  if (isTrue(rule.IncludeSpace)) classes.push(' ');
  const alphabet = classes
    .map((each) => [...each].filter((character) => !rule.ExcludeCharacters?.includes(character)).join(''))
    .filter(Boolean);
  const length = Number(rule.PasswordLength ?? 32);
  if (alphabet.length === 0 || length < alphabet.length)
    throw new AwsError('InvalidParameterException', 'No password fits the rules.');
  const pick = (from: string) => from[randomInt(from.length)] ?? '';
  // One of each class first: Secrets Manager requires each included type by default.
  const characters = Array.from({ length }, (_, index) => pick(alphabet[index] ?? alphabet.join('')));
  const password = characters.toSorted(() => randomInt(3) - 1).join('');
  if (!rule.GenerateStringKey) return password;
  return JSON.stringify({ ...JSON.parse(rule.SecretStringTemplate ?? '{}'), [rule.GenerateStringKey]: password });
}
