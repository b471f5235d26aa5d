/** Task tokens: a task waits for whoever holds its token to report. A token is a bearer secret and works once. */
import { AwsError } from '../kernel.ts';
import { StatesError } from './errors.ts';
import type { Json } from './json.ts';

/** One waiting task. */
export interface Callback {
  readonly token: string;
  /** Resolves with the reported output, rejects with StatesError. */
  readonly outcome: Promise<Json>;
  /** Epoch milliseconds of the last heartbeat, at first of the opening. */
  lastBeat(): number;
  /** The task is over: its token is refused from now on. */
  close(): void;
}

interface Waiting {
  readonly owner: string;
  lastBeat: number;
  resolve(output: Json): void;
  reject(error: StatesError): void;
}

/** What AWS's tokens look like at their beginning. */
const prefix = 'AAAAKgAAAAIAAAAAAAAAA';

export class Callbacks {
  readonly #waiting = new Map<string, Waiting>();
  /** Owners by the tokens of tasks that are over. */
  readonly #closed = new Map<string, string>();
  readonly #now: () => number;
  readonly #uuid: () => string;

  constructor(now: () => number, uuid: () => string) {
    this.#now = now;
    this.#uuid = uuid;
  }

  /** `owner` is whatever the opener wants `ownerOf` to answer, for authorization. */
  open(owner: string): Callback {
    const token = `${prefix}${this.#uuid()}${this.#uuid()}`.replaceAll('-', '');
    const { promise, resolve, reject } = Promise.withResolvers<Json>();
    promise.catch(() => undefined);
    const waiting: Waiting = { owner, lastBeat: this.#now(), resolve, reject };
    this.#waiting.set(token, waiting);
    return {
      token,
      outcome: promise,
      lastBeat: () => waiting.lastBeat,
      close: () => this.#close(token),
    };
  }

  ownerOf(token: string): string | undefined {
    // A token names its task for good: reporting on one that is over is TaskTimedOut, and not a missing permission.
    return this.#waiting.get(token)?.owner ?? this.#closed.get(token);
  }

  /** These throw AwsError InvalidToken, TaskDoesNotExist or TaskTimedOut. */
  succeed(token: string, output: Json): void {
    const waiting = this.#find(token);
    this.#close(token);
    waiting.resolve(output);
  }

  fail(token: string, error = '', cause = ''): void {
    const waiting = this.#find(token);
    this.#close(token);
    waiting.reject(new StatesError(error, cause));
  }

  beat(token: string): void {
    this.#find(token).lastBeat = this.#now();
  }

  #close(token: string): void {
    const owner = this.#waiting.get(token)?.owner;
    if (owner !== undefined) this.#closed.set(token, owner);
    this.#waiting.delete(token);
  }

  #find(token: string): Waiting {
    const waiting = this.#waiting.get(token);
    if (waiting) return waiting;
    // The API reference: TaskTimedOut says that the token expired or that its task has already been closed.
    if (this.#closed.has(token))
      throw new AwsError('TaskTimedOut', 'Task Timed Out: the task token has expired or its task has been closed');
    if (!token.startsWith(prefix)) throw new AwsError('InvalidToken', 'Invalid Token: the task token is not valid');
    throw new AwsError('TaskDoesNotExist', 'Task does not exist');
  }
}
