/** What each protocol file implements: a request's input, a response, an error. */
import type { WireError } from './errors.ts';
import type { WireRequest, WireResponse } from './message.ts';
import type { OperationShape, ServiceShape } from './schema.ts';

/** Values as the SDK clients have them: `Date`, `Uint8Array`, plain objects. */
export type Value = Record<string, unknown>;

export interface Protocol {
  readInput(service: ServiceShape, operation: OperationShape, request: WireRequest): Value | Promise<Value>;
  writeOutput(service: ServiceShape, operation: OperationShape, output: Value, requestId: string): WireResponse;
  writeError(service: ServiceShape | undefined, error: WireError, requestId: string): WireResponse;
}
