/** Log groups of one Region with their streams and events. */
import { randomUUID } from 'node:crypto';
import { AwsError, type Home } from '../../kernel.ts';

export interface LogEvent {
  readonly eventId: string;
  /** Epoch milliseconds, as the writer said. */
  readonly timestamp: number;
  readonly ingestionTime: number;
  readonly message: string;
}

export interface LogStream {
  readonly name: string;
  readonly arn: string;
  readonly createdAt: number;
  /** In order of their timestamps. */
  readonly events: LogEvent[];
}

export interface LogGroup {
  readonly name: string;
  /** Without the `:*` that policies add. */
  readonly arn: string;
  readonly createdAt: number;
  readonly streams: Map<string, LogStream>;
  readonly tags: Readonly<Record<string, string>>;
  readonly kmsKeyId?: string;
  retentionInDays?: number;
}

/** Told of every event that arrives. */
export type Ingested = (group: LogGroup, events: readonly LogEvent[]) => void;

export class LogStore {
  readonly #home: Home;
  readonly #ingested: Ingested;
  readonly groups = new Map<string, LogGroup>();

  constructor(home: Home, ingested: Ingested) {
    this.#home = home;
    this.#ingested = ingested;
  }

  createGroup(name: string, settings: Partial<Pick<LogGroup, 'tags' | 'kmsKeyId' | 'retentionInDays'>> = {}): LogGroup {
    if (this.groups.has(name)) throw exists(`The specified log group already exists`);
    const { region, account, clock } = this.#home;
    const arn = `arn:aws:logs:${region}:${account}:log-group:${name}`;
    const group: LogGroup = { name, arn, createdAt: clock.now(), streams: new Map(), tags: {}, ...settings };
    this.groups.set(name, group);
    return group;
  }

  createStream(group: LogGroup, name: string): LogStream {
    if (group.streams.has(name)) throw exists('The specified log stream already exists');
    const stream = { name, arn: `${group.arn}:log-stream:${name}`, createdAt: this.#home.clock.now(), events: [] };
    group.streams.set(name, stream);
    return stream;
  }

  /** Throws ResourceNotFoundException. */
  group(nameOrArn: string | undefined): LogGroup {
    const group = this.groups.get((nameOrArn ?? '').replace(/^arn:.*:log-group:/, '').replace(/:\*$/, ''));
    if (group === undefined) throw notFound('The specified log group does not exist.');
    return group;
  }

  stream(group: LogGroup, name: string | undefined): LogStream {
    const stream = group.streams.get(name ?? '');
    if (stream === undefined) throw notFound('The specified log stream does not exist.');
    return stream;
  }

  append(group: LogGroup, stream: LogStream, lines: readonly { timestamp: number; message: string }[]): void {
    const ingestionTime = this.#home.clock.now();
    const added = lines.map((line) => ({ ...line, eventId: randomUUID(), ingestionTime }));
    const latest = stream.events.at(-1)?.timestamp ?? 0;
    stream.events.push(...added);
    if (added.some(({ timestamp }) => timestamp < latest)) stream.events.sort((a, b) => a.timestamp - b.timestamp);
    this.#ingested(group, added);
  }
}

function exists(message: string): AwsError {
  return new AwsError('ResourceAlreadyExistsException', message);
}

function notFound(message: string): AwsError {
  return new AwsError('ResourceNotFoundException', message);
}
