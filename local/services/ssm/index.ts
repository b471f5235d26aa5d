/** AWS Systems Manager: Parameter Store. */
import type * as Ssm from '@aws-sdk/client-ssm';
import { type Access, AwsError, type Call, type Home, type Operation, type ServiceDefinition } from '../../kernel.ts';
import { operation, page, provider } from '../declare.ts';
import { type KmsService, keyAccess } from '../kms/index.ts';
import { type Parameter, ParameterStore, type ParameterType } from './parameters.ts';

/** What `cdk bootstrap` leaves in every Region for the stack synthesizer to read. */
const BOOTSTRAP = { name: '/cdk-bootstrap/hnb659fds/version', value: '30' };

interface ParameterProperties {
  Name?: string;
  Type: ParameterType;
  Value: string;
  Description?: string;
  AllowedPattern?: string;
  Tier?: string;
  DataType?: string;
  Tags?: Record<string, string>;
}

export const ssm: ServiceDefinition = {
  name: 'ssm',
  sdk: '@aws-sdk/client-ssm',
  everywhere: true,
  create(home) {
    const store = new ParameterStore(home);
    store.put({ ...BOOTSTRAP, type: 'String', by: 'cdk' });
    return {
      operations: { ...readOperations(home, store), ...writeOperations(home, store) },
      resources: provider<ParameterProperties>(
        'AWS::SSM::Parameter',
        ['Name', 'Type', 'Value', 'Description', 'AllowedPattern', 'Tier', 'DataType', 'Tags'],
        (properties, context) => {
          // CloudFormation cannot create secure strings: the template would hold the secret.
          if (properties.Type === 'SecureString')
            throw new AwsError(
              'ValidationException',
              `${context.logicalId}: Type SecureString is not supported by AWS::SSM::Parameter`,
            );
          const name = properties.Name ?? `CFN-${context.logicalId}-${context.stackName}`;
          const parameter = store.put({
            name,
            value: properties.Value,
            type: properties.Type,
            description: properties.Description,
            allowedPattern: properties.AllowedPattern,
            ...(properties.Tier && { tier: properties.Tier }),
            ...(properties.DataType && { dataType: properties.DataType }),
            by: `arn:aws:cloudformation:${home.region}:${home.account}:stack/${context.stackName}`,
          } as Parameters<ParameterStore['put']>[0]);
          for (const [key, value] of Object.entries(properties.Tags ?? {})) parameter.tags.set(key, value);
          return { ref: name, attributes: { Type: properties.Type, Value: properties.Value } };
        },
      ),
    };
  },
};

function readOperations(home: Home, store: ParameterStore): Record<string, Operation> {
  /** A parameter that is read decrypted needs its customer key too. */
  const reading = (action: string, names: readonly string[], decrypted?: boolean): Access[] => [
    { action, resources: names.map((name) => store.arn(bareName(store, name))) },
    ...(decrypted ? names.flatMap((name) => decryption(home, store.parameters.get(bareName(store, name)))) : []),
  ];
  const shown = (selector: string, decrypt: boolean | undefined) => {
    const found = store.find(selector);
    return found && present(home, found, decrypt);
  };
  return {
    GetParameter: operation<Ssm.GetParameterCommandInput, Ssm.GetParameterCommandOutput>(
      ['Name', 'WithDecryption'],
      (input) => reading('ssm:GetParameter', [input.Name ?? ''], input.WithDecryption),
      (input) => {
        const found = shown(input.Name ?? '', input.WithDecryption);
        if (!found) throw new AwsError('ParameterNotFound', `Parameter ${input.Name} not found.`);
        return { Parameter: found };
      },
    ),
    GetParameters: operation<Ssm.GetParametersCommandInput, Ssm.GetParametersCommandOutput>(
      ['Names', 'WithDecryption'],
      (input) => reading('ssm:GetParameters', input.Names ?? [], input.WithDecryption),
      (input) => {
        const names = input.Names ?? [];
        if (names.length > 10) throw new AwsError('ValidationException', 'Names must have at most 10 elements.');
        const found = names.map((name) => ({ name, parameter: shown(name, input.WithDecryption) }));
        return {
          Parameters: found.flatMap(({ parameter }) => parameter ?? []),
          InvalidParameters: found.filter(({ parameter }) => !parameter).map(({ name }) => name),
        };
      },
    ),
    GetParametersByPath: operation<Ssm.GetParametersByPathCommandInput, Ssm.GetParametersByPathCommandOutput>(
      ['Path', 'Recursive', 'WithDecryption', 'MaxResults', 'NextToken'],
      (input) => [
        {
          action: 'ssm:GetParametersByPath',
          resources: [store.arn(input.Path ?? '')],
          conditions: { 'ssm:Recursive': String(input.Recursive ?? false) },
        },
        ...(input.WithDecryption
          ? below(store, input.Path, input.Recursive).flatMap((parameter) => decryption(home, parameter))
          : []),
      ],
      (input) => {
        const { items, next } = page(
          below(store, input.Path, input.Recursive),
          input.NextToken,
          input.MaxResults ?? 10,
        );
        return { Parameters: items.flatMap(({ name }) => shown(name, input.WithDecryption) ?? []), NextToken: next };
      },
    ),
    DescribeParameters: operation<Ssm.DescribeParametersCommandInput, Ssm.DescribeParametersCommandOutput>(
      ['ParameterFilters', 'MaxResults', 'NextToken'],
      () => ({ action: 'ssm:DescribeParameters', resources: ['*'] }),
      (input) => {
        const all = [...store.parameters.values()].filter((parameter) =>
          (input.ParameterFilters ?? []).every((filter) => matches(parameter, filter)),
        );
        const { items, next } = page(all, input.NextToken, input.MaxResults ?? 50);
        return { Parameters: items.map(metadata), NextToken: next };
      },
    ),
    ListTagsForResource: operation<Ssm.ListTagsForResourceCommandInput, Ssm.ListTagsForResourceCommandOutput>(
      ['ResourceType', 'ResourceId'],
      (input) => ({ action: 'ssm:ListTagsForResource', resources: [store.arn(input.ResourceId ?? '')] }),
      (input) => ({ TagList: [...tagged(store, input).tags].map(([Key, Value]) => ({ Key, Value })) }),
    ),
  };
}

function writeOperations(home: Home, store: ParameterStore): Record<string, Operation> {
  return {
    PutParameter: operation<Ssm.PutParameterCommandInput, Ssm.PutParameterCommandOutput>(
      ['Name', 'Value', 'Type', 'Description', 'KeyId', 'Overwrite', 'AllowedPattern', 'Tags', 'Tier', 'DataType'],
      (input) => [
        {
          action: 'ssm:PutParameter',
          resources: [store.arn(input.Name ?? '')],
          conditions: {
            'ssm:Overwrite': input.Overwrite === undefined ? undefined : String(input.Overwrite),
            ...requestTags(input.Tags),
          },
        },
        ...(input.Type === 'SecureString' ? keyAccess(home, 'ssm', ['Encrypt'], input.KeyId ?? 'alias/aws/ssm') : []),
      ],
      (input, call) => {
        if (input.Type === 'SecureString')
          (home.service('kms') as KmsService).requireUsable(input.KeyId ?? 'alias/aws/ssm');
        if (input.Tags?.length && input.Overwrite) {
          throw new AwsError(
            'ValidationException',
            "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag.",
          );
        }
        const parameter = store.put({
          name: input.Name ?? '',
          value: input.Value ?? '',
          type: input.Type,
          description: input.Description,
          keyId: input.KeyId,
          overwrite: input.Overwrite,
          allowedPattern: input.AllowedPattern,
          tier: input.Tier,
          dataType: input.DataType,
          by: principalArn(call),
        } as Parameters<ParameterStore['put']>[0]);
        for (const tag of input.Tags ?? []) parameter.tags.set(tag.Key ?? '', tag.Value ?? '');
        return { Version: parameter.versions.at(-1)?.version, Tier: parameter.tier as Ssm.ParameterTier };
      },
    ),
    DeleteParameter: operation<Ssm.DeleteParameterCommandInput>(
      ['Name'],
      (input) => ({ action: 'ssm:DeleteParameter', resources: [store.arn(input.Name ?? '')] }),
      (input) => {
        if (!store.parameters.delete(input.Name ?? ''))
          throw new AwsError('ParameterNotFound', `Parameter ${input.Name} not found.`);
        return {};
      },
    ),
    AddTagsToResource: operation<Ssm.AddTagsToResourceCommandInput>(
      ['ResourceType', 'ResourceId', 'Tags'],
      (input) => ({
        action: 'ssm:AddTagsToResource',
        resources: [store.arn(input.ResourceId ?? '')],
        conditions: requestTags(input.Tags),
      }),
      (input) => {
        const { tags } = tagged(store, input);
        for (const tag of input.Tags ?? []) tags.set(tag.Key ?? '', tag.Value ?? '');
        return {};
      },
    ),
  };
}

const bareName = (store: ParameterStore, selector: string): string => store.nameOf(selector).split(':')[0] ?? '';

function decryption(home: Home, parameter: Parameter | undefined): Access[] {
  const keyId = parameter?.versions.at(-1)?.keyId;
  return parameter && keyId ? keyAccess(home, 'ssm', ['Decrypt'], keyId, { PARAMETER_ARN: parameter.arn }) : [];
}

function below(store: ParameterStore, path = '', recursive = false): Parameter[] {
  const prefix = path.endsWith('/') ? path : `${path}/`;
  return [...store.parameters.values()]
    .filter(({ name }) => name.startsWith(prefix) && (recursive || !name.slice(prefix.length).includes('/')))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function present(
  home: Home,
  found: NonNullable<ReturnType<ParameterStore['find']>>,
  decrypt: boolean | undefined,
): Ssm.Parameter {
  const { parameter, version } = found;
  if (version.keyId && decrypt) (home.service('kms') as KmsService).requireUsable(version.keyId);
  const hidden = version.keyId && !decrypt;
  return {
    Name: parameter.name,
    Type: version.type,
    Value: hidden ? Buffer.from(`encrypted:${parameter.arn}:${version.version}`).toString('base64') : version.value,
    Version: version.version,
    Selector: found.selector,
    LastModifiedDate: version.modifiedAt,
    ARN: parameter.arn,
    DataType: parameter.dataType,
  };
}

function metadata(parameter: Parameter): Ssm.ParameterMetadata {
  const version = parameter.versions.at(-1);
  return {
    Name: parameter.name,
    ARN: parameter.arn,
    Type: version?.type,
    KeyId: version?.keyId,
    LastModifiedDate: version?.modifiedAt,
    LastModifiedUser: version?.modifiedBy,
    Description: parameter.description,
    AllowedPattern: parameter.allowedPattern,
    Version: version?.version,
    Tier: parameter.tier as Ssm.ParameterTier,
    DataType: parameter.dataType,
  };
}

function matches(parameter: Parameter, { Key, Option, Values = [] }: Ssm.ParameterStringFilter): boolean {
  const test = (actual: string | undefined) =>
    Values.some((value) =>
      Option === 'BeginsWith'
        ? actual?.startsWith(value)
        : Option === 'Contains'
          ? actual?.includes(value)
          : actual === value,
    );
  if (Key === 'Name') return test(parameter.name);
  if (Key === 'Type') return test(parameter.versions.at(-1)?.type);
  if (Key?.startsWith('tag:')) return test(parameter.tags.get(Key.slice(4)));
  throw new AwsError('InvalidFilterKey', `The embedded cloud knows no parameter filter ${Key}.`);
}

function tagged(
  store: ParameterStore,
  input: { ResourceType?: string | undefined; ResourceId?: string | undefined },
): Parameter {
  if (input.ResourceType !== 'Parameter')
    throw new AwsError('InvalidResourceType', `The resource type ${input.ResourceType} is not valid.`);
  const parameter = store.parameters.get(bareName(store, input.ResourceId ?? ''));
  if (!parameter) throw new AwsError('InvalidResourceId', `Parameter ${input.ResourceId} does not exist.`);
  return parameter;
}

const requestTags = (tags: readonly Ssm.Tag[] | undefined): Record<string, string | string[]> => ({
  ...Object.fromEntries((tags ?? []).map((tag) => [`aws:RequestTag/${tag.Key}`, tag.Value ?? ''])),
  ...(tags?.length && { 'aws:TagKeys': tags.map((tag) => tag.Key ?? '') }),
});

function principalArn({ principal }: Call): string {
  return principal.kind === 'operator'
    ? principal.arn
    : principal.kind === 'role'
      ? principal.roleArn
      : principal.service;
}
