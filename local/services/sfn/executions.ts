/** Executions of a Region: started once per name, observed without polling, stopped with the cloud. */
import { randomUUID } from 'node:crypto';
import type { HistoryEvent } from '@aws-sdk/client-sfn';
import { AwsError, type Home, type Principal } from '../../kernel.ts';
import { Callbacks } from '../../states/callbacks.ts';
import { type End, execute } from '../../states/execution.ts';
import { dataLimitBytes, type Json } from '../../states/json.ts';
import { statusChange } from './events.ts';
import { invoke } from './integrations.ts';
import type { Machine } from './machines.ts';
import { checkName, executionArn } from './names.ts';
import type { ExecutionRecord } from './record.ts';

/** Hears every event of every execution as it is recorded. */
export type HistoryListener = (executionArn: string, event: HistoryEvent) => void;

export class Executions {
  readonly callbacks: Callbacks;
  readonly #home: Home;
  readonly #records = new Map<string, ExecutionRecord & { end?: End }>();
  readonly #completions = new Map<string, Promise<void>>();
  readonly #listeners = new Set<HistoryListener>();
  #stopping = false;

  constructor(home: Home) {
    this.#home = home;
    this.callbacks = new Callbacks(home.clock.now, randomUUID);
  }

  /** Throws AwsError InvalidName, InvalidExecutionInput or ExecutionAlreadyExists. */
  start(machine: Machine, name: string = randomUUID(), input = '{}'): ExecutionRecord {
    const arn = executionArn(machine.arn, checkName(name));
    const parsed = parseInput(input);
    const known = this.#records.get(arn);
    // The same name and input while it runs is the same request: StartExecution is idempotent only then.
    if (known && !known.end && known.input === input) return known;
    if (known) throw new AwsError('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
    return this.#run(arn, name, machine, input, parsed);
  }

  get(arn: string): ExecutionRecord {
    const record = this.#records.get(arn);
    if (record) return record;
    throw new AwsError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
  }

  /** The newest first. */
  of(machine: Machine): readonly ExecutionRecord[] {
    return [...this.#records.values()].filter((record) => record.machine.arn === machine.arn).reverse();
  }

  /** Resolves when the execution has ended and its end is recorded. */
  async completion(arn: string): Promise<void> {
    this.get(arn);
    await this.#completions.get(arn);
  }

  /** Returns what ends the listening. */
  onHistory(listener: HistoryListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends every execution without a word to anybody: the cloud itself stops. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const { execution, end } of this.#records.values()) if (!end) execution.stop();
    await Promise.all(this.#completions.values());
  }

  #run(arn: string, name: string, machine: Machine, input: string, parsed: Json): ExecutionRecord {
    const { clock, region } = this.#home;
    const role: Principal = { kind: 'role', roleArn: machine.roleArn, sessionName: sessionName(name) };
    const caller = { home: this.#home, role, completion: (other: string) => this.completion(other) };
    const startedAt = new Date(clock.now());
    const execution = execute(
      {
        definition: machine.definition,
        input: parsed,
        executionArn: arn,
        name,
        roleArn: machine.roleArn,
        stateMachine: machine,
        region,
      },
      {
        clock,
        callbacks: this.callbacks,
        random: Math.random,
        uuid: randomUUID,
        invoke: (request) => invoke(caller, request),
      },
      (event) => {
        for (const listener of this.#listeners) listener(arn, event);
      },
    );
    const record: ExecutionRecord & { end?: End } = { arn, name, machine, input, startedAt, execution };
    this.#records.set(arn, record);
    this.#emit(record);
    this.#completions.set(
      arn,
      execution.ended.then((end) => {
        record.end = end;
        this.#emit(record);
      }),
    );
    return record;
  }

  #emit(record: ExecutionRecord): void {
    if (!this.#stopping) this.#home.emit(statusChange(record));
  }
}

/** A role session's name has 2 to 64 characters of a small alphabet; an execution's name can have others. */
const sessionName = (name: string): string => `states-${name.replace(/[^\w+=.@-]/g, '-')}`.slice(0, 64);

function parseInput(input: string): Json {
  if (Buffer.byteLength(input) > dataLimitBytes)
    throw new AwsError(
      'InvalidExecutionInput',
      `Invalid State Machine Execution Input: larger than ${dataLimitBytes} bytes`,
    );
  try {
    return JSON.parse(input) as Json;
  } catch (error) {
    throw new AwsError('InvalidExecutionInput', `Invalid State Machine Execution Input: '${(error as Error).message}'`);
  }
}
