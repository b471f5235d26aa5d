/** A build's log stream, written as the project's role: a role that may not write its logs builds without them. */
import { AwsError, type Home, type Principal } from '../../kernel.ts';

export class BuildLog {
  readonly #home: Home;
  readonly #role: Principal;
  readonly #group: string;
  readonly #stream: string;
  #writing: Promise<void>;
  constructor(home: Home, role: Principal, { group, stream }: { group: string; stream: string }) {
    this.#home = home;
    this.#role = role;
    this.#group = group;
    this.#stream = stream;
    this.#writing = this.#open();
  }

  /** Lines in the order they were written. */
  write(text: string): Promise<void> {
    const timestamp = this.#home.clock.now();
    const logEvents = text
      .split('\n')
      .filter((line) => line.trim())
      .map((message) => ({ timestamp, message }));
    if (logEvents.length === 0) return this.#writing;
    this.#writing = this.#writing.then(() =>
      this.#call('PutLogEvents', { logGroupName: this.#group, logStreamName: this.#stream, logEvents }),
    );
    return this.#writing;
  }

  close(): Promise<void> {
    return this.#writing;
  }

  async #open(): Promise<void> {
    await this.#call('CreateLogGroup', { logGroupName: this.#group });
    await this.#call('CreateLogStream', { logGroupName: this.#group, logStreamName: this.#stream });
  }

  async #call(operation: string, input: object): Promise<void> {
    try {
      await this.#home.call('cloudwatch-logs', operation, input, this.#role);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error; // refused, or there already: the build goes on
    }
  }
}
