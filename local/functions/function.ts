/** A deployed function: its execution environments, its concurrency, its log. Knows no API; services/lambda does. */
import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { AwsError, type Home, type IssuedCredentials, type Principal } from '../kernel.ts';
import type { Capacity } from './capacity.ts';
import type { FunctionDefinition } from './definition.ts';
import type { Environment, Outcome } from './environment.ts';
import { FunctionLog, platformLines } from './function-log.ts';
import type { Failure } from './protocol.ts';
import { variablesOf } from './variables.ts';

export interface FunctionOptions {
  readonly home: Home;
  readonly capacity: Capacity;
  /** Holds what `/var/runtime/` holds on AWS. */
  readonly runtimeDirectory: string;
  /** Credentials of a new session of the function's role. Throws AwsError when the role does not trust Lambda. */
  readonly assumeRole: (definition: FunctionDefinition) => Promise<IssuedCredentials>;
  /** Aborted when the cloud stops: an invocation that waits for its environment then gets none. */
  readonly stopping: AbortSignal;
}

export interface Invocation {
  readonly requestId: string;
  /** JSON text: what the handler returned, or the error. */
  readonly payload: string;
  readonly failed: boolean;
  readonly logTail: Buffer;
  readonly durationMs: number;
}

interface Sandbox {
  readonly environment: Environment;
  readonly credentials: IssuedCredentials;
  readonly log: FunctionLog;
  /** Ends it while it is idle. */
  readonly evict: () => void;
  /** Whether its init was reported. */
  warm: boolean;
}

/** Lambda's bound on the payload of a synchronous answer. */
const maximumResponseBytes = 6_291_556;

export class LambdaFunction {
  readonly definition: FunctionDefinition;
  readonly options: FunctionOptions;
  readonly #idle: Sandbox[] = [];
  readonly #all = new Set<Sandbox>();
  #running = 0;

  constructor(definition: FunctionDefinition, options: FunctionOptions) {
    this.definition = definition;
    this.options = options;
  }

  /**
   * Runs the handler once. `event` is JSON text. A handler that throws, dies or is late is a failed invocation.
   * Throws TooManyRequestsException beyond the reserved concurrency.
   */
  async invoke(event: string, invokedFunctionArn: string, requestId: string = randomUUID()): Promise<Invocation> {
    if (this.#running >= (this.definition.reservedConcurrency ?? 1000)) throw tooManyRequests(this.definition);
    this.#running++;
    try {
      const sandbox = this.#takeIdle() ?? (await this.#startInTurn());
      try {
        return await this.#run(sandbox, event, invokedFunctionArn, requestId);
      } finally {
        this.#giveBack(sandbox);
      }
    } finally {
      this.#running--;
    }
  }

  /** Kills the environment that holds these credentials, as a crash of its process would. False when none does. */
  crash(accessKeyId: string): boolean {
    const sandbox = [...this.#all].find(({ credentials }) => credentials.accessKeyId === accessKeyId);
    void sandbox?.environment.kill();
    return sandbox !== undefined;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#all].map(({ environment }) => environment.kill()));
  }

  async #run(sandbox: Sandbox, event: string, arn: string, requestId: string): Promise<Invocation> {
    const { environment, log } = sandbox;
    const { timeoutSeconds, tracing } = this.definition;
    const { clock } = this.options.home;
    const lines = platformLines(this.definition, requestId, clock);
    const began = clock.now();
    log.begin();
    const failure = await environment.ready(timeoutSeconds * 1000);
    const started = clock.now();
    const initMs = sandbox.warm ? undefined : started - began;
    sandbox.warm = true;
    for (const line of lines.start()) log.add(line);
    const outcome: Outcome = failure
      ? { kind: 'failed', failure }
      : await environment.invoke({
          requestId,
          event,
          timeoutMs: timeoutSeconds * 1000,
          invokedFunctionArn: arn,
          traceId: traceId(started, tracing),
        });
    const durationMs = clock.now() - started;
    const answer = answerOf(outcome, requestId);
    if (answer.diagnosis !== undefined) log.add(lines.diagnosis(answer.diagnosis));
    for (const line of lines.end(durationMs, initMs)) log.add(line);
    void log.flush();
    return { requestId, ...answer, logTail: log.tail(), durationMs };
  }

  #takeIdle(): Sandbox | undefined {
    for (let sandbox = this.#idle.pop(); sandbox !== undefined; sandbox = this.#idle.pop()) {
      if (!sandbox.environment.alive) this.#forget(sandbox);
      else {
        this.options.capacity.withdraw(sandbox.evict);
        return sandbox;
      }
    }
    return undefined;
  }

  #giveBack(sandbox: Sandbox): void {
    if (sandbox.environment.alive) {
      this.#idle.push(sandbox);
      this.options.capacity.offer(sandbox.evict);
    } else this.#forget(sandbox);
  }

  /** One that becomes idle while this waits for its turn is as good. */
  async #startInTurn(): Promise<Sandbox> {
    const end = await this.options.capacity.turn();
    const idle = this.#takeIdle();
    if (idle !== undefined) {
      end();
      return idle;
    }
    try {
      const started = await this.#start();
      void started.environment.ready(this.definition.timeoutSeconds * 1000).finally(end);
      return started;
    } catch (error) {
      end();
      throw error;
    }
  }

  async #start(): Promise<Sandbox> {
    const { home, capacity, runtimeDirectory, assumeRole, stopping } = this.options;
    const { definition } = this;
    const credentials = await assumeRole(definition);
    await capacity.take();
    if (stopping.aborted) {
      capacity.release();
      throw stopping.reason;
    }
    const day = new Date(home.clock.now()).toISOString().slice(0, 10).replaceAll('-', '/');
    const stream = `${day}/${streamOf(definition)}${randomBytes(16).toString('hex')}`;
    const session: Principal = { kind: 'role', roleArn: definition.roleArn, sessionName: definition.name };
    const log = new FunctionLog(home, session, definition.logGroup, stream);
    const environment = home.world.openEnvironment({
      taskRoot: definition.taskRoot,
      handler: definition.handler,
      jsonLogs: definition.logFormat === 'JSON',
      // Lambda's default for JSON logs is INFO; text logs have no levels.
      logLevel: definition.applicationLogLevel ?? (definition.logFormat === 'JSON' ? 'INFO' : 'TRACE'),
      ways: { ...home.darkness.ways, own: home.darkness.ways.regions.indexOf(home.region) },
      variables: variablesOf(definition, home, credentials, stream, runtimeDirectory),
      memoryMb: definition.memoryMb,
      compileCache: join(runtimeDirectory, 'compile-cache'),
      clock: home.clock,
      onLog: (text) => log.add(text),
    });
    const evict = () => {
      void environment.kill();
      this.#forget(sandbox);
    };
    const sandbox: Sandbox = { environment, credentials, log, evict, warm: false };
    this.#all.add(sandbox);
    return sandbox;
  }

  #forget(sandbox: Sandbox): void {
    if (!this.#all.delete(sandbox)) return;
    const index = this.#idle.indexOf(sandbox);
    if (index >= 0) this.#idle.splice(index, 1);
    this.options.capacity.withdraw(sandbox.evict);
    this.options.capacity.release();
  }
}

function answerOf(outcome: Outcome, requestId: string): { payload: string; failed: boolean; diagnosis?: string } {
  if (outcome.kind === 'returned') {
    if (Buffer.byteLength(outcome.payload) <= maximumResponseBytes) return { payload: outcome.payload, failed: false };
    const errorMessage = `Response payload size exceeded maximum allowed payload size (${maximumResponseBytes} bytes).`;
    return { payload: JSON.stringify({ errorMessage, errorType: 'Function.ResponseSizeTooLarge' }), failed: true };
  }
  const { failure } = outcome;
  if (!isSandboxFailure(failure)) return { payload: JSON.stringify(failure), failed: true };
  // What the sandbox itself reports is prefixed with the request.
  const errorMessage = `RequestId: ${requestId} ${failure.errorMessage}`;
  const diagnosis = failure.errorMessage.replace(/^Error: /, '');
  return { payload: JSON.stringify({ errorType: failure.errorType, errorMessage }), failed: true, diagnosis };
}

/** In a group that is not the function's own a stream bears its name (Lambda: Configuring CloudWatch log groups). */
const streamOf = ({ name, version, logGroup }: FunctionDefinition) =>
  logGroup === `/aws/lambda/${name}` ? `[${version}]` : `${name}[${version}]`;

function isSandboxFailure({ errorType }: Failure): boolean {
  return ['Sandbox.Timedout', 'Runtime.ExitError', 'Runtime.OutOfMemory'].includes(errorType);
}

function tooManyRequests({ reservedConcurrency }: FunctionDefinition): AwsError {
  const Reason =
    reservedConcurrency === undefined
      ? 'ConcurrentInvocationLimitExceeded'
      : 'ReservedFunctionConcurrentInvocationLimitExceeded';
  return new AwsError('TooManyRequestsException', 'Rate Exceeded.', { Reason, Type: 'User' });
}

function traceId(now: number, tracing: FunctionDefinition['tracing']): string {
  const root = `1-${Math.floor(now / 1000).toString(16)}-${randomBytes(12).toString('hex')}`;
  return `Root=${root};Parent=${randomBytes(8).toString('hex')};Sampled=${tracing === 'Active' ? 1 : 0}`;
}
