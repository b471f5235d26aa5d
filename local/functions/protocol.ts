/** What the cloud and a function's worker say to each other. */

export const logLevels = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Given to a worker once, before it loads the handler. */
export interface Boot {
  /** The copied asset: LAMBDA_TASK_ROOT. */
  readonly taskRoot: string;
  /** `<module>.<export>`, the module's path without its extension. */
  readonly handler: string;
  readonly jsonLogs: boolean;
  /** The least level of console output that is kept. */
  readonly logLevel: LogLevel;
  readonly ways: Way;
}

/** Which ports of this machine the function's Region is cut off from, as of now: the memory is the cloud's own. */
export interface Way {
  /** Index of the function's Region. */
  readonly own: number;
  /** Port → 1 + index of its Region. */
  readonly ports: Uint8Array<SharedArrayBuffer>;
  /** Index of a Region → a bit for each that it is cut off from. */
  readonly cuts: Uint16Array<SharedArrayBuffer>;
}

/** One invocation. */
export interface Request {
  readonly requestId: string;
  /** JSON text. */
  readonly event: string;
  readonly timeoutMs: number;
  readonly invokedFunctionArn: string;
  readonly traceId: string;
}

/** An error as Lambda's caller reads it. */
export interface Failure {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

export type Report =
  | { readonly kind: 'ready' }
  | { readonly kind: 'unready'; readonly failure: Failure }
  | { readonly kind: 'log'; readonly text: string }
  /** `payload` is JSON text. */
  | { readonly kind: 'returned'; readonly payload: string }
  /** `fatal`: the environment is of no further use (an uncaught exception). */
  | { readonly kind: 'failed'; readonly failure: Failure; readonly fatal: boolean };

/** What a thread that many environments share is told about one of them. */
export type Order =
  | { readonly kind: 'open'; readonly seat: number; readonly boot: Boot; readonly variables: Record<string, string> }
  | { readonly kind: 'invoke'; readonly seat: number; readonly request: Request }
  | { readonly kind: 'close'; readonly seat: number };

/** What it says of one; `closed`: nothing of it acts any more. */
export interface Answer {
  readonly seat: number;
  readonly report: Report | { readonly kind: 'closed' };
}
