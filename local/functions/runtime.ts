/** What Lambda's Node runtime does around a handler, in whichever thread it runs. */
import { existsSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { type Boot, type Failure, type LogLevel, logLevels, type Report, type Request, type Way } from './protocol.ts';

export type Handler = (event: unknown, context: object) => unknown;

/** Where a function's code finds itself. */
export interface Surroundings {
  readonly boot: Boot;
  readonly variables: NodeJS.ProcessEnv;
  /** What it runs now. */
  current: Request | undefined;
  readonly report: (message: Report) => void;
}

/** The file of the handler's module. Throws as Lambda's runtime does where there is none. */
export function fileOf({ taskRoot, handler }: Boot): string {
  const { module } = partsOf(handler);
  const path = join(taskRoot, module);
  const file = ['', '.js', '.mjs', '.cjs'].map((extension) => path + extension).find(existsSync);
  if (file === undefined) throw named('Runtime.ImportModuleError', `Error: Cannot find module '${module}'`);
  return file;
}

/** The handler among its module's exports. Throws as Lambda's runtime does where it is none. */
export function handlerIn(module: Record<string, unknown>, { handler }: Boot): Handler {
  const { name } = partsOf(handler);
  const found = module[name] ?? (module.default as Record<string, unknown> | undefined)?.[name];
  if (found === undefined) throw named('Runtime.HandlerNotFound', `${handler} is undefined or not exported`);
  if (typeof found !== 'function') throw named('Runtime.HandlerNotFound', `${handler} is not a function`);
  // Since Node.js 24 Lambda runs no callback-based handlers.
  if (found.length > 2) throw named('Runtime.CallbackHandlerDeprecated', `${handler} takes a callback`);
  return found as Handler;
}

/** `area/verb-noun.handler` is the export `handler` of the module `area/verb-noun`. */
function partsOf(handler: string): { readonly module: string; readonly name: string } {
  const dot = handler.indexOf('.', handler.lastIndexOf('/') + 1);
  if (dot < 0) throw named('Runtime.MalformedHandlerName', 'Bad handler');
  return { module: handler.slice(0, dot), name: handler.slice(dot + 1) };
}

/** Runs the handler once and reports what became of it. */
export async function run(handler: Handler, request: Request, around: Surroundings): Promise<void> {
  around.current = request;
  around.variables._X_AMZN_TRACE_ID = request.traceId;
  try {
    const result = await handler(JSON.parse(request.event), contextOf(request, around.variables));
    around.report({ kind: 'returned', payload: serialize(result) });
  } catch (error) {
    const failure = failureOf(error);
    log(around, 'ERROR', `Invoke Error \t${JSON.stringify({ ...failure, stack: failure.trace, trace: undefined })}`);
    around.report({ kind: 'failed', failure, fatal: false });
  } finally {
    around.current = undefined;
  }
}

function contextOf(request: Request, variables: NodeJS.ProcessEnv): object {
  const deadline = performance.now() + request.timeoutMs;
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: variables.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: variables.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: request.invokedFunctionArn,
    memoryLimitInMB: variables.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    awsRequestId: request.requestId,
    logGroupName: variables.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: variables.AWS_LAMBDA_LOG_STREAM_NAME,
    getRemainingTimeInMillis: () => Math.max(0, Math.round(deadline - performance.now())),
  };
}

function serialize(result: unknown): string {
  try {
    return JSON.stringify(result === undefined ? null : result);
  } catch {
    throw named('Runtime.MarshalError', 'Unable to stringify response body');
  }
}

export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: error.stack?.split('\n') ?? [] };
}

/** Of a promise that nobody caught. */
export const unhandled = (reason: unknown): Failure => ({
  ...failureOf(reason),
  errorType: 'Runtime.UnhandledPromiseRejection',
});

export const exitOf = (code: number): Failure => ({
  errorType: 'Runtime.ExitError',
  errorMessage: `Runtime exited with error: exit status ${code}`,
});

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}

/** The levels of console's methods. */
export const levels = {
  log: 'INFO',
  info: 'INFO',
  debug: 'DEBUG',
  trace: 'TRACE',
  warn: 'WARN',
  error: 'ERROR',
} as const;

/** A line to the log group, in order with what is reported. */
export function log({ boot, current, report }: Surroundings, level: LogLevel, message: string): void {
  if (logLevels.indexOf(level) < logLevels.indexOf(boot.logLevel)) return;
  const timestamp = new Date().toISOString();
  const requestId = current?.requestId;
  const text = boot.jsonLogs
    ? JSON.stringify({ timestamp, level, requestId, message })
    : `${timestamp}\t${requestId ?? 'undefined'}\t${level}\t${message}`;
  report({ kind: 'log', text });
}

// biome-ignore lint/suspicious/noExplicitAny: every form of the arguments is passed on
type Connect = (this: Socket, ...given: any[]) => Socket;

/** Puts `through` in the way of every socket that connects in this thread; it may call on. */
export function onConnect(through: (socket: Socket, port: number, connect: () => Socket) => Socket): void {
  const connect: Connect = Socket.prototype.connect;
  Socket.prototype.connect = function (this: Socket, ...given) {
    // `net.connect` hands on its arguments as one array.
    const [first] = given.flat();
    const port = Number(typeof first === 'object' ? first?.port : first);
    return through(this, port, () => connect.apply(this, given));
  } satisfies Connect;
}

/** A connection to a port in a Region that is cut off meets what a lost route does. */
export function connectUnlessCut({ own, ports, cuts }: Way, socket: Socket, port: number, connect: () => Socket) {
  const region = (ports[port] ?? 0) - 1;
  if (region < 0 || ((cuts[own] ?? 0) & (1 << region)) === 0) return connect();
  const error = new Error(`connect EHOSTUNREACH 127.0.0.1:${port}`);
  process.nextTick(() => socket.destroy(Object.assign(error, { code: 'EHOSTUNREACH', syscall: 'connect', port })));
  return socket;
}
