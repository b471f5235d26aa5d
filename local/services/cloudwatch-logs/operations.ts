/** CloudWatch Logs' operations. */
import type {
  CreateLogGroupCommandInput,
  CreateLogStreamCommandInput,
  DeleteLogGroupCommandInput,
  DescribeLogGroupsCommandInput,
  DescribeLogGroupsCommandOutput,
  DescribeLogStreamsCommandInput,
  DescribeLogStreamsCommandOutput,
  FilterLogEventsCommandInput,
  FilterLogEventsCommandOutput,
  GetLogEventsCommandInput,
  GetLogEventsCommandOutput,
  PutLogEventsCommandInput,
  PutLogEventsCommandOutput,
  PutRetentionPolicyCommandInput,
} from '@aws-sdk/client-cloudwatch-logs';
import { type Access, AwsError, type Home, type Operation } from '../../kernel.ts';
import { operation, page } from '../declare.ts';
import { tagConditions } from '../eventing.ts';
import { compilePattern } from './pattern.ts';
import type { LogEvent, LogGroup, LogStore, LogStream } from './store.ts';

const retentions = new Set([
  ...[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731],
  ...[1096, 1827, 2192, 2557, 2922, 3288, 3653],
]);
/** What one page of events holds at most, by default. */
const eventsPerPage = 10_000;

/** Throws InvalidParameterException for a number of days that Logs does not offer. */
export function checkedRetention(days: number | undefined): number {
  if (days === undefined || !retentions.has(days)) {
    throw new AwsError('InvalidParameterException', `retentionInDays ${days} is none of ${[...retentions].join(', ')}`);
  }
  return days;
}

export function logsOperations({ region, account }: Home, store: LogStore): Record<string, Operation> {
  const nameOf = (group: string | undefined) => (group ?? '').replace(/^arn:.*:log-group:/, '').replace(/:\*$/, '');
  /** As denials name it: `…:log-group:<group>:log-stream:<stream>`, the stream left empty by actions on the group. */
  const access = (action: string, group: string | undefined, stream = ''): Access => {
    const name = nameOf(group);
    return {
      action: `logs:${action}`,
      resources: [`arn:aws:logs:${region}:${account}:log-group:${name}:log-stream:${stream}`],
      conditions: tagConditions(store.groups.get(name)?.tags),
    };
  };

  return {
    CreateLogGroup: operation<CreateLogGroupCommandInput>(
      ['logGroupName', 'kmsKeyId', 'tags'],
      ({ logGroupName }) => access('CreateLogGroup', logGroupName),
      ({ logGroupName = '', kmsKeyId, tags = {} }) => {
        store.createGroup(logGroupName, { tags, ...(kmsKeyId !== undefined && { kmsKeyId }) });
        return {};
      },
    ),
    DeleteLogGroup: operation<DeleteLogGroupCommandInput>(
      ['logGroupName'],
      ({ logGroupName }) => access('DeleteLogGroup', logGroupName),
      ({ logGroupName }) => {
        store.groups.delete(store.group(logGroupName).name);
        return {};
      },
    ),
    PutRetentionPolicy: operation<PutRetentionPolicyCommandInput>(
      ['logGroupName', 'retentionInDays'],
      ({ logGroupName }) => access('PutRetentionPolicy', logGroupName),
      ({ logGroupName, retentionInDays }) => {
        store.group(logGroupName).retentionInDays = checkedRetention(retentionInDays);
        return {};
      },
    ),
    CreateLogStream: operation<CreateLogStreamCommandInput>(
      ['logGroupName', 'logStreamName'],
      ({ logGroupName, logStreamName }) => access('CreateLogStream', logGroupName, logStreamName),
      ({ logGroupName, logStreamName = '' }) => {
        store.createStream(store.group(logGroupName), logStreamName);
        return {};
      },
    ),
    PutLogEvents: operation<PutLogEventsCommandInput, PutLogEventsCommandOutput>(
      ['logGroupName', 'logStreamName', 'logEvents', 'sequenceToken'],
      ({ logGroupName, logStreamName }) => access('PutLogEvents', logGroupName, logStreamName),
      ({ logGroupName, logStreamName, logEvents = [] }) => {
        const group = store.group(logGroupName);
        const stream = store.stream(group, logStreamName);
        const lines = logEvents.map(({ timestamp = 0, message = '' }) => ({ timestamp, message }));
        if (lines.some(({ timestamp }, i) => timestamp < (lines[i - 1]?.timestamp ?? 0))) {
          throw new AwsError(
            'InvalidParameterException',
            'Log events in a single PutLogEvents request must be in chronological order.',
          );
        }
        store.append(group, stream, lines);
        return { nextSequenceToken: String(stream.events.length) };
      },
    ),
    DescribeLogGroups: operation<DescribeLogGroupsCommandInput, DescribeLogGroupsCommandOutput>(
      ['logGroupNamePrefix', 'logGroupNamePattern', 'limit', 'nextToken'],
      ({ logGroupNamePrefix }) => access('DescribeLogGroups', logGroupNamePrefix ?? ''),
      ({ logGroupNamePrefix = '', logGroupNamePattern = '', limit = 50, nextToken }) => {
        const matching = byName(store.groups).filter(
          ({ name }) =>
            name.startsWith(logGroupNamePrefix) && name.toLowerCase().includes(logGroupNamePattern.toLowerCase()),
        );
        const { items, next } = page(matching, nextToken, limit);
        return { logGroups: items.map(describeGroup), ...(next && { nextToken: next }) };
      },
    ),
    DescribeLogStreams: operation<DescribeLogStreamsCommandInput, DescribeLogStreamsCommandOutput>(
      ['logGroupName', 'logGroupIdentifier', 'logStreamNamePrefix', 'orderBy', 'descending', 'limit', 'nextToken'],
      ({ logGroupName, logGroupIdentifier }) => access('DescribeLogStreams', logGroupName ?? logGroupIdentifier),
      (input) => {
        const group = store.group(input.logGroupName ?? input.logGroupIdentifier);
        const streams = byName(group.streams).filter(({ name }) => name.startsWith(input.logStreamNamePrefix ?? ''));
        if (input.orderBy === 'LastEventTime') streams.sort((a, b) => lastEventTime(a) - lastEventTime(b));
        if (input.descending) streams.reverse();
        const { items, next } = page(streams, input.nextToken, input.limit ?? 50);
        return { logStreams: items.map(describeStream), ...(next && { nextToken: next }) };
      },
    ),
    GetLogEvents: operation<GetLogEventsCommandInput, GetLogEventsCommandOutput>(
      [
        ...(['logGroupName', 'logGroupIdentifier', 'logStreamName', 'startTime', 'endTime'] as const),
        ...(['nextToken', 'limit', 'startFromHead'] as const),
      ],
      ({ logGroupName, logGroupIdentifier, logStreamName }) =>
        access('GetLogEvents', logGroupName ?? logGroupIdentifier, logStreamName),
      (input) => {
        const group = store.group(input.logGroupName ?? input.logGroupIdentifier);
        const events = store.stream(group, input.logStreamName).events.filter(within(input));
        return eventsPage(events, input);
      },
    ),
    FilterLogEvents: operation<FilterLogEventsCommandInput, FilterLogEventsCommandOutput>(
      [
        ...(['logGroupName', 'logGroupIdentifier', 'logStreamNames', 'logStreamNamePrefix', 'startTime'] as const),
        ...(['endTime', 'filterPattern', 'nextToken', 'limit', 'interleaved'] as const),
      ],
      ({ logGroupName, logGroupIdentifier }) => access('FilterLogEvents', logGroupName ?? logGroupIdentifier),
      (input) => {
        const group = store.group(input.logGroupName ?? input.logGroupIdentifier);
        const matches = compilePattern(input.filterPattern ?? '');
        const events = byName(group.streams)
          .filter(
            ({ name }) => input.logStreamNames?.includes(name) ?? name.startsWith(input.logStreamNamePrefix ?? ''),
          )
          .flatMap(({ name, events: all }) =>
            all
              .filter((event) => within(input)(event) && matches(event.message))
              .map((event) => ({ ...event, logStreamName: name })),
          )
          .toSorted((a, b) => a.timestamp - b.timestamp);
        const { items, next } = page(events, input.nextToken, input.limit ?? eventsPerPage);
        return { events: items, searchedLogStreams: [], ...(next && { nextToken: next }) };
      },
    ),
  };
}

/** Pages run both ways: without a token the newest come first, and the end answers the token it was asked with. */
function eventsPage(
  events: readonly LogEvent[],
  input: GetLogEventsCommandInput,
): Omit<GetLogEventsCommandOutput, '$metadata'> {
  const limit = input.limit ?? eventsPerPage;
  const [direction, index] = [input.nextToken?.slice(0, 2), Number(input.nextToken?.slice(2))];
  const start =
    direction === 'f/'
      ? index
      : direction === 'b/'
        ? Math.max(0, index - limit)
        : input.startFromHead
          ? 0
          : Math.max(0, events.length - limit);
  const end = Math.min(events.length, direction === 'b/' ? index : start + limit);
  return {
    events: events
      .slice(start, end)
      .map(({ timestamp, ingestionTime, message }) => ({ timestamp, ingestionTime, message })),
    nextForwardToken: `f/${end}`,
    nextBackwardToken: `b/${start}`,
  };
}

const within =
  ({
    startTime = 0,
    endTime = Number.POSITIVE_INFINITY,
  }: {
    startTime?: number | undefined;
    endTime?: number | undefined;
  }) =>
  ({ timestamp }: LogEvent) =>
    timestamp >= startTime && timestamp < endTime;

function byName<T extends { readonly name: string }>(all: ReadonlyMap<string, T>): T[] {
  return [...all.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function describeGroup({ name, arn, createdAt, retentionInDays, kmsKeyId, streams }: LogGroup) {
  const storedBytes = [...streams.values()]
    .flatMap(({ events }) => events)
    .reduce((bytes, { message }) => bytes + message.length + 26, 0);
  return {
    logGroupName: name,
    arn: `${arn}:*`,
    logGroupArn: arn,
    creationTime: createdAt,
    metricFilterCount: 0,
    storedBytes,
    ...(retentionInDays !== undefined && { retentionInDays }),
    ...(kmsKeyId !== undefined && { kmsKeyId }),
  };
}

function describeStream(stream: LogStream) {
  const { name, arn, createdAt, events } = stream;
  const first = events[0];
  return {
    logStreamName: name,
    arn,
    creationTime: createdAt,
    uploadSequenceToken: String(events.length),
    ...(first && {
      firstEventTimestamp: first.timestamp,
      lastEventTimestamp: lastEventTime(stream),
      lastIngestionTime: events.at(-1)?.ingestionTime,
    }),
  };
}

function lastEventTime({ events, createdAt }: LogStream): number {
  return events.at(-1)?.timestamp ?? createdAt;
}
