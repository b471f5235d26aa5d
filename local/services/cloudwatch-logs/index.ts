/** CloudWatch Logs in one Region: groups, streams, events, and metric filters over them. */
import { parsePolicy } from '../../authorization/policy.ts';
import { AwsError, type Home, type PolicyDocument, type Service, type ServiceDefinition } from '../../kernel.ts';
import { provider } from '../declare.ts';
import { physicalName, tagsOf } from '../eventing.ts';
import { MetricFilters, type MetricTransformation } from './metric-filters.ts';
import { checkedRetention, logsOperations } from './operations.ts';
import { LogStore } from './store.ts';

export interface LogsService extends Service {
  /** Appends lines at the clock's now, as AWS's own runtimes do (a database's log export, a build's log); makes group and stream where they are missing. */
  write(groupName: string, streamName: string, lines: readonly string[]): void;
}

export const cloudwatchLogs: ServiceDefinition = {
  name: 'cloudwatch-logs',
  sdk: '@aws-sdk/client-cloudwatch-logs',
  create: createLogs,
};

function createLogs(home: Home): LogsService {
  const filters = new MetricFilters(home);
  const store = new LogStore(home, (group, events) => filters.ingested(group, events));
  let policy: PolicyDocument = { Version: '2012-10-17', Statement: [] };
  return {
    operations: logsOperations(home, store),
    resources: {
      ...logGroup(store),
      ...logStream(store),
      ...metricFilter(store, filters),
      ...resourcePolicy(({ Statement }) => {
        policy = { ...policy, Statement: [...policy.Statement, ...Statement] };
      }),
    },
    // Resource policies of Logs belong to the Region; each statement says which groups it is for.
    resourcePolicy: () => policy,
    write(groupName, streamName, lines) {
      const group = store.groups.get(groupName) ?? store.createGroup(groupName);
      const stream = group.streams.get(streamName) ?? store.createStream(group, streamName);
      const timestamp = home.clock.now();
      store.append(
        group,
        stream,
        lines.map((message) => ({ timestamp, message })),
      );
    },
  };
}

const logGroup = (store: LogStore) =>
  provider<{
    LogGroupName?: string;
    RetentionInDays?: number | string;
    KmsKeyId?: string;
    LogGroupClass?: string;
    Tags?: unknown;
  }>(
    'AWS::Logs::LogGroup',
    ['LogGroupName', 'RetentionInDays', 'KmsKeyId', 'LogGroupClass', 'Tags'],
    (properties, context) => {
      const { LogGroupName, RetentionInDays, KmsKeyId, Tags } = properties;
      const group = store.createGroup(LogGroupName ?? physicalName(context, 512), {
        tags: tagsOf(Tags),
        ...(KmsKeyId !== undefined && { kmsKeyId: KmsKeyId }),
        ...(RetentionInDays !== undefined && { retentionInDays: checkedRetention(Number(RetentionInDays)) }),
      });
      return { ref: group.name, attributes: { Arn: `${group.arn}:*` } };
    },
  );

const logStream = (store: LogStore) =>
  provider<{ LogGroupName: string; LogStreamName?: string }>(
    'AWS::Logs::LogStream',
    ['LogGroupName', 'LogStreamName'],
    ({ LogGroupName, LogStreamName }, context) => {
      const { name } = store.createStream(store.group(LogGroupName), LogStreamName ?? physicalName(context, 512));
      return { ref: name };
    },
  );

const metricFilter = (store: LogStore, filters: MetricFilters) =>
  provider<{
    FilterName?: string;
    FilterPattern: string;
    LogGroupName: string;
    MetricTransformations: readonly MetricTransformation[];
  }>(
    'AWS::Logs::MetricFilter',
    ['FilterName', 'FilterPattern', 'LogGroupName', 'MetricTransformations'],
    ({ FilterName, FilterPattern, LogGroupName, MetricTransformations }, context) => {
      const [transformation] = MetricTransformations;
      if (transformation === undefined || MetricTransformations.length > 1) {
        throw new AwsError('InvalidParameterException', 'a metric filter has exactly one metric transformation');
      }
      if (transformation.DefaultValue !== undefined && transformation.Dimensions !== undefined) {
        throw new AwsError('InvalidParameterException', 'a metric with dimensions takes no default value');
      }
      filters.add(store.group(LogGroupName).name, FilterPattern, transformation);
      return { ref: FilterName ?? physicalName(context, 512) };
    },
  );

const resourcePolicy = (add: (document: PolicyDocument) => void) =>
  provider<{ PolicyName: string; PolicyDocument: string }>(
    'AWS::Logs::ResourcePolicy',
    ['PolicyName', 'PolicyDocument'],
    ({ PolicyName, PolicyDocument: document }) => {
      add(parsePolicy(document, 'resource'));
      return { ref: PolicyName };
    },
  );
