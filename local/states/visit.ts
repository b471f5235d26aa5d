/** One visit of a state: what every state type's code is given, and what it gives back. */
import type { Clock } from '../kernel.ts';
import type { Callbacks } from './callbacks.ts';
import type { Flow, Template } from './definition.ts';
import { StatesError } from './errors.ts';
import type { Cursor, History } from './history.ts';
import type { Json, JsonObject } from './json.ts';
import type { Host } from './jsonata.ts';
import type { Resource } from './resource.ts';
import { evaluateTemplate } from './template.ts';

/** What the interpreter needs of the world. */
export interface Ports {
  readonly clock: Pick<Clock, 'now' | 'sleep' | 'limit'>;
  readonly callbacks: Callbacks;
  /** 0 ≤ n < 1. */
  random(): number;
  uuid(): string;
  /** Performs a Task's request. Rejects with StatesError; `signal` aborts when the task has timed out or is stopped. */
  invoke(request: TaskRequest): Promise<Json>;
}

export interface TaskRequest {
  readonly resource: Resource;
  readonly arguments: Json;
  readonly signal: AbortSignal;
  /** `.sync`: the job has started, with this answer; what `invoke` resolves with is the job's end. */
  submitted(answer: Json): void;
}

/** What all states of one execution share. */
export interface Run {
  readonly ports: Ports;
  readonly host: Host;
  readonly history: History;
  readonly region: string;
  readonly stateMachineArn: string;
  /** `$states.context` but for State, Task and Map. */
  readonly context: JsonObject;
}

/** A running sequence of states: the machine, a branch, an iteration. */
export interface Frame {
  readonly run: Run;
  /** A copy of the outer scope's and this scope's own: an outer scope cannot change while an inner one runs. */
  readonly variables: Record<string, Json>;
  readonly signal: AbortSignal;
  readonly cursor: Cursor;
  /** `$states.context.Map` within an iteration. */
  readonly map?: JsonObject;
}

/** Runs an inner sequence of states to its last output; Map and Parallel are given it. */
export type RunFlow = (flow: Flow, input: Json, frame: Frame) => Promise<Json>;

export interface Outcome {
  readonly output: Json;
  readonly assigned?: Readonly<Record<string, Json>>;
  /** Undefined where the sequence ends. */
  readonly next: string | undefined;
}

/** What `$states` offers beyond input and context, where it does. */
export interface Extra {
  readonly result?: Json;
  readonly errorOutput?: Json;
  readonly map?: JsonObject;
}

export class Visit {
  readonly name: string;
  readonly input: Json;
  readonly frame: Frame;
  readonly enteredEventId: number;
  readonly #enteredTime: string;
  retryCount = 0;
  /** Set while a task waits for its token. */
  token: string | undefined;

  constructor(name: string, input: Json, frame: Frame, enteredEventId: number) {
    this.name = name;
    this.input = input;
    this.frame = frame;
    this.enteredEventId = enteredEventId;
    this.#enteredTime = new Date(frame.run.ports.clock.now()).toISOString();
  }

  /** Evaluates a field; a failure is an EvaluationFailed event and States.QueryEvaluationError. */
  async evaluate(template: Json, field: string, extra: Extra = {}): Promise<Json> {
    const { map, ...offered } = extra;
    const { run, variables, cursor } = this.frame;
    const bindings = { ...variables, states: { input: this.input, context: this.#context(map), ...offered } };
    try {
      return await evaluateTemplate(template, bindings, run.host, field);
    } catch (error) {
      throw error instanceof StatesError ? this.#evaluationFailed(error, cursor) : error;
    }
  }

  /** A field that takes a whole number ≥ `least`, or an expression that gives one. */
  async number(value: number | string, field: string, least: number): Promise<number> {
    const evaluated = await this.evaluate(value, field);
    if (typeof evaluated === 'number' && Number.isInteger(evaluated) && evaluated >= least) return evaluated;
    throw this.refuse(field, `a whole number of at least ${least}`, evaluated);
  }

  /** The failure of a field whose expression gave another type than the field takes. */
  refuse(field: string, expected: string, given: Json): StatesError {
    const cause = `The field '${field}' must be ${expected}, but was ${JSON.stringify(given)}.`;
    return this.#evaluationFailed(new StatesError('States.QueryEvaluationError', cause, field), this.frame.cursor);
  }

  /** Assign and Output as a state, a choice rule or a catcher has them; both see the variables as they were. */
  async complete(
    fields: { readonly Assign?: Template; readonly Output?: Json },
    next: string | undefined,
    otherwise: Json,
    extra?: Extra,
    prefix = '',
  ): Promise<Outcome> {
    const assigned = fields.Assign && ((await this.evaluate(fields.Assign, `${prefix}Assign`, extra)) as JsonObject);
    const output =
      fields.Output === undefined ? otherwise : await this.evaluate(fields.Output, `${prefix}Output`, extra);
    return assigned ? { output, assigned, next } : { output, next };
  }

  #context(map: JsonObject | undefined = this.frame.map): JsonObject {
    return {
      ...this.frame.run.context,
      State: { EnteredTime: this.#enteredTime, Name: this.name, RetryCount: this.retryCount },
      ...(this.token === undefined ? {} : { Task: { Token: this.token } }),
      ...(map === undefined ? {} : { Map: map }),
    };
  }

  #evaluationFailed(failure: StatesError, cursor: Cursor): StatesError {
    const cause = `An error occurred while executing the state '${this.name}' (entered at the event id #${this.enteredEventId}). ${failure.cause}`;
    const { error, location } = failure;
    this.frame.run.history.add(cursor, 'EvaluationFailed', {
      evaluationFailedEventDetails: { error, cause, location, state: this.name },
    });
    return new StatesError(error, cause, location);
  }
}
