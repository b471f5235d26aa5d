/** A state machine's definition in the Amazon States Language, JSONata only. validate.ts is what makes JSON one of these. */
import type { Json } from './json.ts';

export interface Definition extends Flow {
  readonly Comment?: string;
  readonly QueryLanguage: 'JSONata';
  readonly Version?: '1.0';
  readonly TimeoutSeconds?: number;
}

/** States with a first one: a machine, a branch of a Parallel, the processor of a Map. */
export interface Flow {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

export type State =
  | TaskState
  | MapState
  | ParallelState
  | ChoiceState
  | WaitState
  | PassState
  | SucceedState
  | FailState;
/** A whole number or `{% … %}`. */
export type NumberField = number | string;
export type Template = Readonly<Record<string, Json>>;

interface Common {
  readonly Comment?: string;
  readonly QueryLanguage?: 'JSONata';
}
interface Productive extends Common {
  readonly Assign?: Template;
  readonly Output?: Json;
}
interface Step extends Productive {
  readonly Next?: string;
  readonly End?: boolean;
}
export interface Fallible extends Step {
  readonly Retry?: readonly Retrier[];
  readonly Catch?: readonly Catcher[];
}

export interface TaskState extends Fallible {
  readonly Type: 'Task';
  readonly Resource: string;
  readonly Arguments?: Json;
  readonly TimeoutSeconds?: NumberField;
  readonly HeartbeatSeconds?: NumberField;
}
export interface MapState extends Fallible {
  readonly Type: 'Map';
  readonly Items?: readonly Json[] | string;
  readonly ItemSelector?: Json;
  readonly MaxConcurrency?: NumberField;
  readonly ItemProcessor: Flow & { readonly ProcessorConfig?: { readonly Mode: 'INLINE' } };
}
export interface ParallelState extends Fallible {
  readonly Type: 'Parallel';
  readonly Arguments?: Json;
  readonly Branches: readonly Flow[];
}
export interface ChoiceState extends Productive {
  readonly Type: 'Choice';
  readonly Choices: readonly ChoiceRule[];
  readonly Default?: string;
}
export interface ChoiceRule extends Productive {
  readonly Condition: string | boolean;
  readonly Next: string;
}
export interface WaitState extends Step {
  readonly Type: 'Wait';
  readonly Seconds?: NumberField;
  readonly Timestamp?: string;
}
export interface PassState extends Step {
  readonly Type: 'Pass';
}
export interface SucceedState extends Common {
  readonly Type: 'Succeed';
  readonly Output?: Json;
}
export interface FailState extends Common {
  readonly Type: 'Fail';
  readonly Error?: string;
  readonly Cause?: string;
}

export interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds?: number;
  readonly MaxAttempts?: number;
  readonly BackoffRate?: number;
  readonly MaxDelaySeconds?: number;
  readonly JitterStrategy?: 'FULL' | 'NONE';
}
export interface Catcher {
  readonly ErrorEquals: readonly string[];
  readonly Next: string;
  readonly Assign?: Template;
  readonly Output?: Json;
}
