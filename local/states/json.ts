/** JSON values as States Language passes them between states, and their size limit. */
import { StatesError } from './errors.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
export type JsonObject = { readonly [name: string]: Json };

/** Bytes of UTF-8 that a state's input, output, arguments or assigned variables may have: 256 KiB (Step Functions quotas). */
export const dataLimitBytes = 262_144;

/** The JSON text of a value; throws States.DataLimitExceeded beyond the limit, naming `what` in the cause. */
export function encode(value: Json, what: string): string {
  const text = JSON.stringify(value);
  // A UTF-16 unit takes at most three bytes: short texts need no counting.
  if (text.length * 3 > dataLimitBytes && Buffer.byteLength(text) > dataLimitBytes)
    throw new StatesError(
      'States.DataLimitExceeded',
      `${what} is too large: it exceeds the maximum number of bytes allowed, which is ${dataLimitBytes}.`,
    );
  return text;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
