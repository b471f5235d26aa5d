/**
 * The product's errors. `name` is literal and stable: Step Functions matches ErrorEquals against it, and class names are
 * minified. Each area's errors.ts defines its own with `defineError`; docs/errors.md lists them all.
 */
import { forIncident } from './commands.ts';

export interface ErrorDefinition {
  readonly name: string;
  /** Step Functions may try the same step again. */
  readonly retryable: boolean;
  /** What the person on call does next. */
  readonly next: string;
}

interface MoreOfError {
  readonly cause?: unknown;
  readonly details?: Readonly<Record<string, unknown>>;
  /** What to do in this very case, where that is more than what the definition knows. */
  readonly next?: string;
}

/** Base of every error that the product raises on purpose. */
export class RecoveryError extends Error {
  readonly retryable: boolean;
  readonly next: string;
  readonly details: Readonly<Record<string, unknown>>;
  constructor(definition: ErrorDefinition, message: string, options: MoreOfError = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = definition.name;
    this.retryable = definition.retryable;
    this.next = options.next ?? definition.next;
    this.details = options.details ?? {};
  }
}

/** Every error ever defined, by name: the docs table and the state machines are checked against it. */
export const errorRegistry = new Map<string, ErrorDefinition>();

/** Defines one error: `throw DatabaseNotReady('…', { details })`. */
export function defineError(definition: ErrorDefinition) {
  if (errorRegistry.has(definition.name)) throw new Error(`error ${definition.name} is defined twice`);
  errorRegistry.set(definition.name, definition);
  const make = (message: string, options?: MoreOfError) => new RecoveryError(definition, message, options);
  return Object.assign(make, { definition });
}

const nextMark = '\nNext: ';

/** An error's message as a state machine carries it on; `readFailure` takes it apart again. */
export const withNext = (message: string, next: string): string => `${message}${nextMark}${next}`;

/** What a failed state says to people: of our own functions the message and next, of anything else what there is. */
export function readFailure(
  failure: { readonly Error: string; readonly Cause: string },
  incident?: { readonly id: string; readonly environment: string },
): { name: string; message: string; next: string } {
  const [message = '', next] = messageOfCause(failure.Cause).split(nextMark);
  const known = next ?? errorRegistry.get(failure.Error)?.next;
  return {
    name: failure.Error,
    message,
    next:
      incident && known
        ? forIncident(known, incident)
        : (known ?? 'Read the execution’s history in the Step Functions console; correct the cause and start again.'),
  };
}

/** The cause of a failed Lambda task is JSON: {"errorType","errorMessage","trace"}. */
function messageOfCause(cause: string): string {
  try {
    const parsed: unknown = JSON.parse(cause);
    if (typeof parsed === 'object' && parsed !== null && 'errorMessage' in parsed) return String(parsed.errorMessage);
  } catch {
    // Not a function's: States.Timeout and the like come with plain text.
  }
  return cause;
}
