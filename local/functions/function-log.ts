/** The lines of one execution environment, written to its log group as the function's role would: without the permission nothing arrives, as on AWS. */
import { AwsError, type Clock, type Home, type Principal } from '../kernel.ts';
import type { FunctionDefinition } from './definition.ts';

interface LogEvent {
  readonly timestamp: number;
  readonly message: string;
}

/** Lambda answers this much of an invocation's end to who asks for LogType Tail. */
const tailBytes = 4096;
const longestBatch = 200;

export class FunctionLog {
  readonly #home: Home;
  readonly #as: Principal;
  readonly group: string;
  readonly stream: string;
  #pending: LogEvent[] = [];
  #tail: string[] = [];
  #written: Promise<void> | undefined;

  constructor(home: Home, as: Principal, group: string, stream: string) {
    this.#home = home;
    this.#as = as;
    this.group = group;
    this.stream = stream;
  }

  add(text: string): void {
    const message = text.replace(/\n$/, '');
    this.#pending.push({ timestamp: Math.round(this.#home.clock.now()), message });
    this.#tail.push(message);
    if (this.#pending.length >= longestBatch) void this.flush();
  }

  /** Begins an invocation's tail. */
  begin(): void {
    this.#tail = [];
  }

  /** The last 4 KB since `begin`. */
  tail(): Buffer {
    return Buffer.from(`${this.#tail.join('\n')}\n`).subarray(-tailBytes);
  }

  /** Resolves when everything added so far is written, or is lost for want of permission. */
  flush(): Promise<void> {
    const logEvents = this.#pending;
    this.#pending = [];
    if (logEvents.length === 0) return this.#written ?? Promise.resolve();
    this.#written = (this.#written ?? this.#open()).then(() => this.#put(logEvents)).catch(lostForWantOfPermission);
    return this.#written;
  }

  #put(logEvents: readonly LogEvent[]): Promise<void> {
    const input = { logGroupName: this.group, logStreamName: this.stream, logEvents };
    return this.#home.call('cloudwatch-logs', 'PutLogEvents', input, this.#as);
  }

  async #open(): Promise<void> {
    const input = { logGroupName: this.group, logStreamName: this.stream };
    const create = () => this.#home.call('cloudwatch-logs', 'CreateLogStream', input, this.#as);
    try {
      await create();
    } catch (error) {
      if (!(error instanceof AwsError && error.code === 'ResourceNotFoundException')) throw error;
      await this.#home.call('cloudwatch-logs', 'CreateLogGroup', { logGroupName: this.group }, this.#as);
      await create();
    }
  }
}

function lostForWantOfPermission(error: unknown): void {
  if (!(error instanceof AwsError)) throw error;
}

/** The lines that Lambda itself writes around an invocation, in the function's log format. Memory used is not known here. */
export function platformLines(
  { version, memoryMb, logFormat, quiet }: FunctionDefinition,
  requestId: string,
  clock: Clock,
) {
  const time = () => new Date(clock.now()).toISOString();
  const json = (type: string, record: object) => JSON.stringify({ time: time(), type: `platform.${type}`, record });
  const unlessQuiet = (...lines: string[]) => (quiet ? [] : lines);
  if (logFormat === 'JSON') {
    return {
      start: () => unlessQuiet(json('start', { requestId, version })),
      diagnosis: (text: string) => json('fault', { requestId, text }),
      end(durationMs: number, initDurationMs: number | undefined) {
        const billedDurationMs = Math.ceil(durationMs + (initDurationMs ?? 0));
        const metrics = { durationMs, billedDurationMs, memorySizeMB: memoryMb, initDurationMs };
        return unlessQuiet(json('report', { requestId, metrics }));
      },
    };
  }
  return {
    start: () => unlessQuiet(`START RequestId: ${requestId} Version: ${version}`),
    diagnosis: (text: string) => `${time()} ${requestId} ${text}`,
    end(durationMs: number, initMs: number | undefined) {
      const parts = [
        `REPORT RequestId: ${requestId}`,
        `Duration: ${durationMs.toFixed(2)} ms`,
        `Billed Duration: ${Math.ceil(durationMs + (initMs ?? 0))} ms`,
        `Memory Size: ${memoryMb} MB`,
        ...(initMs === undefined ? [] : [`Init Duration: ${initMs.toFixed(2)} ms`]),
      ];
      return unlessQuiet(`END RequestId: ${requestId}`, parts.join('\t'));
    },
  };
}
