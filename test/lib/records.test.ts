import { describeRules, only, resourcesOf, type Stack, targetOf } from './stacks.ts';

const names = (stack: Stack, type: string, property: string) =>
  resourcesOf(stack, type).map(([, { Properties }]) => String(Properties[property]));
const tables = (stack: Stack) => resourcesOf(stack, 'AWS::DynamoDB::Table');
const bucket = (stack: Stack) => only(stack, 'AWS::S3::Bucket');
const key = (stack: Stack) => only(stack, 'AWS::KMS::Key');
const topic = (stack: Stack, name: string) =>
  only(stack, 'AWS::SNS::Topic', ({ TopicName }) => TopicName === `stocker-dr-${stack.environment}-${name}`);
const url = (stack: Stack) => only(stack, 'AWS::Lambda::Url').properties;

/** What must outlive its stack, by type. */
const kept = [
  'AWS::DynamoDB::Table',
  'AWS::S3::Bucket',
  'AWS::KMS::Key',
  'AWS::Logs::LogGroup',
  'AWS::SecretsManager::Secret',
];

describeRules('records', [
  {
    case: 'the control table is in the DR Region, and there alone',
    find: (stack) => {
      const prefix = `stocker-dr-${stack.environment}`;
      const expected = stack.role === 'dr' ? [`${prefix}-control`, `${prefix}-incidents`] : [`${prefix}-incidents`];
      const found = names(stack, 'AWS::DynamoDB::Table', 'TableName').sort();
      return `${found}` === `${expected}` ? [] : found;
    },
    broken: (stack) => {
      for (const [, { Properties }] of tables(stack)) Properties.TableName += '-control';
    },
  },
  {
    case: 'tables can be restored to a point in time and not be deleted',
    find: (stack) =>
      tables(stack)
        .filter(
          ([, { Properties }]) =>
            !Properties.DeletionProtectionEnabled ||
            !Properties.PointInTimeRecoverySpecification?.PointInTimeRecoveryEnabled,
        )
        .map(([id]) => id),
    broken: (stack) => {
      for (const [, { Properties }] of tables(stack)) Properties.DeletionProtectionEnabled = false;
    },
  },
  {
    case: 'tables have the key that the stores use, and expire only what says so',
    find: (stack) =>
      tables(stack)
        .filter(([, { Properties }]) => {
          const schema = Properties.KeySchema.map(
            (each: { AttributeName: string; KeyType: string }) => `${each.AttributeName} ${each.KeyType}`,
          );
          const ttl = Properties.TimeToLiveSpecification?.AttributeName;
          // No TTL can expire a lease under a waiting approval.
          const expected = String(Properties.TableName).endsWith('-control') ? undefined : 'ttl';
          return `${schema}` !== 'pk HASH,sk RANGE' || ttl !== expected;
        })
        .map(([id]) => id),
    broken: (stack) => {
      for (const [, { Properties }] of tables(stack))
        Properties.TimeToLiveSpecification = { AttributeName: 'expires', Enabled: true };
    },
  },
  {
    case: 'what is evidence or memory stays when the stack goes',
    find: (stack) =>
      kept
        .flatMap((type) => resourcesOf(stack, type))
        .filter(
          ([, { DeletionPolicy, UpdateReplacePolicy }]) =>
            DeletionPolicy !== 'Retain' || UpdateReplacePolicy !== 'Retain',
        )
        .map(([id]) => id),
    broken: (stack) => {
      const { id, resource } = bucket(stack);
      stack.template.Resources[id] = { ...resource, DeletionPolicy: 'Delete' };
    },
  },
  {
    case: 'evidence is versioned, encrypted, private and can be locked',
    find: (stack) => {
      const { properties } = bucket(stack);
      const isPrivate = Object.values(properties.PublicAccessBlockConfiguration ?? {}).filter(Boolean).length === 4;
      return [
        ...(properties.VersioningConfiguration?.Status === 'Enabled' ? [] : ['not versioned']),
        ...(properties.ObjectLockEnabled ? [] : ['cannot be locked']),
        ...(properties.BucketEncryption ? [] : ['not encrypted']),
        ...(isPrivate ? [] : ['public']),
      ];
    },
    broken: (stack) => {
      delete bucket(stack).properties.VersioningConfiguration;
    },
  },
  {
    case: 'buckets, topics and queues refuse to be spoken to without TLS',
    find: (stack) => {
      const guarded = ['AWS::S3::BucketPolicy', 'AWS::SNS::TopicPolicy', 'AWS::SQS::QueuePolicy'].flatMap((type) =>
        resourcesOf(stack, type),
      );
      const needed = ['AWS::S3::Bucket', 'AWS::SNS::Topic', 'AWS::SQS::Queue']
        .flatMap((type) => resourcesOf(stack, type))
        .map(([id]) => id);
      const covered = guarded
        .filter(([, { Properties }]) =>
          /"Condition":\{"Bool":\{"aws:SecureTransport":"false"\}\},"Effect":"Deny"/.test(
            JSON.stringify(Properties.PolicyDocument),
          ),
        )
        .flatMap(([, { Properties }]) => (Properties.Topics ?? Properties.Queues ?? [Properties.Bucket]).map(targetOf));
      return needed.filter((id) => !covered.includes(id));
    },
    broken: (stack) => {
      only(stack, 'AWS::S3::BucketPolicy').properties.PolicyDocument.Statement = [];
    },
  },
  {
    case: 'topics are encrypted with the stack’s own key',
    find: (stack) =>
      resourcesOf(stack, 'AWS::SNS::Topic')
        .filter(([, { Properties }]) => targetOf(Properties.KmsMasterKeyId ?? 'none') !== key(stack).id)
        .map(([id]) => id),
    // Its policy cannot be changed: alarms and events would be dropped in silence (aws-facts).
    broken: (stack) => {
      topic(stack, 'internal').properties.KmsMasterKeyId = 'alias/aws/sns';
    },
  },
  {
    case: 'the key lets alarms publish, and no service that publishes nothing',
    find: (stack) => {
      const text = JSON.stringify(
        key(stack).properties.KeyPolicy.Statement.filter(
          (each: { Action: string[] }) => `${[each.Action].flat().sort()}` === 'kms:Decrypt,kms:GenerateDataKey*',
        ),
      );
      return [
        ...(text.includes('cloudwatch.amazonaws.com') ? [] : ['alarms may not']),
        ...(text.includes('events.amazonaws.com') ? ['EventBridge may'] : []),
      ];
    },
    broken: (stack) => {
      key(stack).properties.KeyPolicy.Statement.pop();
    },
  },
  {
    case: 'the topic of the alarms admits the alarms of this environment and account',
    find: (stack) => {
      const { id } = topic(stack, 'internal');
      const { properties } = only(stack, 'AWS::SNS::TopicPolicy', ({ Topics }) => targetOf(Topics[0]) === id);
      const admits = properties.PolicyDocument.Statement.some(
        (each: Record<string, unknown>) =>
          JSON.stringify([each.Effect, each.Action, each.Principal, each.Condition]) ===
          JSON.stringify([
            'Allow',
            'sns:Publish',
            { Service: 'cloudwatch.amazonaws.com' },
            {
              ArnLike: {
                'aws:SourceArn': `arn:aws:cloudwatch:${stack.region}:${stack.configuration.account}:alarm:stocker-dr-${stack.environment}-*`,
              },
            },
          ]),
      );
      return admits ? [] : ['no alarm may publish'];
    },
    // What enforceSSL alone leaves: a policy without any Allow replaces the topic's default one.
    broken: (stack) => {
      for (const [, { Properties }] of resourcesOf(stack, 'AWS::SNS::TopicPolicy'))
        Properties.PolicyDocument.Statement = Properties.PolicyDocument.Statement.filter(
          (each: { Effect: string }) => each.Effect === 'Deny',
        );
    },
  },
  {
    case: 'the approval URL is in the DR Region, and there alone',
    find: (stack) => {
      const found = resourcesOf(stack, 'AWS::Lambda::Url').length;
      return found === (stack.role === 'dr' ? 1 : 0) ? [] : [`${found} URLs`];
    },
    broken: (stack) => {
      stack.template.Resources.One = { Type: 'AWS::Lambda::Url', Properties: {} };
      stack.template.Resources.Two = { Type: 'AWS::Lambda::Url', Properties: {} };
    },
  },
  {
    case: 'the approval URL demands a signature',
    where: ({ role }) => role === 'dr',
    find: (stack) => (url(stack).AuthType === 'AWS_IAM' ? [] : [url(stack).AuthType]),
    broken: (stack) => {
      url(stack).AuthType = 'NONE';
    },
  },
  {
    case: 'nobody may invoke a function through a resource policy but EventBridge and the approvers',
    find: (stack) =>
      resourcesOf(stack, 'AWS::Lambda::Permission')
        .filter(([, { Properties }]) => {
          if (Properties.Principal === 'events.amazonaws.com') return Properties.SourceArn === undefined;
          return stack.role === 'primary' || !stack.configuration.approverRoleArns.includes(Properties.Principal);
        })
        .map(([id, { Properties }]) => `${id}: ${Properties.Principal}`),
    broken: (stack) => {
      stack.template.Resources.Open = {
        Type: 'AWS::Lambda::Permission',
        Properties: { Principal: '*', Action: 'lambda:InvokeFunctionUrl' },
      };
    },
  },
  {
    case: 'secrets of the product’s roles are made in the primary Region and replicated',
    where: ({ role }) => role === 'primary',
    find: (stack) =>
      resourcesOf(stack, 'AWS::SecretsManager::Secret')
        .filter(
          ([, { Properties }]) =>
            Properties.ReplicaRegions?.[0]?.Region !== stack.configuration.dr.region ||
            Properties.SecretString !== undefined,
        )
        .map(([id]) => id),
    broken: (stack) => {
      for (const [, { Properties }] of resourcesOf(stack, 'AWS::SecretsManager::Secret'))
        delete Properties.ReplicaRegions;
    },
  },
]);
