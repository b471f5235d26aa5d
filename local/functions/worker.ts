/**
 * The runtime inside a function's worker: loads the handler as Lambda's Node runtime does, and runs one
 * invocation at a time. This file is the function's world, not the cloud's: its Date is what the function sees.
 */
import { existsSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';
import { parentPort, workerData } from 'node:worker_threads';
import { type Boot, type Failure, type LogLevel, logLevels, type Report, type Request } from './protocol.ts';

type Handler = (event: unknown, context: object) => unknown;

const boot = workerData as Boot;
let current: Request | undefined;

// Set for this file's own loading; a function's environment is the template's.
delete process.env.NODE_COMPILE_CACHE;
captureOutput();
process.on('uncaughtException', (error) => report({ kind: 'failed', failure: failureOf(error), fatal: true }));
process.on('unhandledRejection', (reason) => {
  const failure = { ...failureOf(reason), errorType: 'Runtime.UnhandledPromiseRejection' };
  report({ kind: 'failed', failure, fatal: true });
});

try {
  const handler = await loadHandler(boot);
  parentPort?.on('message', (request: Request) => void run(handler, request));
  report({ kind: 'ready' });
  flushCompileCache();
} catch (error) {
  report({ kind: 'unready', failure: failureOf(error) });
}

async function run(handler: Handler, request: Request): Promise<void> {
  current = request;
  process.env._X_AMZN_TRACE_ID = request.traceId;
  try {
    const result = await handler(JSON.parse(request.event), contextOf(request));
    report({ kind: 'returned', payload: serialize(result) });
  } catch (error) {
    const failure = failureOf(error);
    log('ERROR', `Invoke Error \t${JSON.stringify({ ...failure, stack: failure.trace, trace: undefined })}`);
    report({ kind: 'failed', failure, fatal: false });
  } finally {
    current = undefined;
  }
}

async function loadHandler({ taskRoot, handler }: Boot): Promise<Handler> {
  const dot = handler.indexOf('.', handler.lastIndexOf('/') + 1);
  if (dot < 0) throw named('Runtime.MalformedHandlerName', 'Bad handler');
  const path = join(taskRoot, handler.slice(0, dot));
  const file = ['', '.js', '.mjs', '.cjs'].map((extension) => path + extension).find(existsSync);
  if (file === undefined) {
    throw named('Runtime.ImportModuleError', `Error: Cannot find module '${handler.slice(0, dot)}'`);
  }
  const module: Record<string, unknown> = await import(pathToFileURL(file).href);
  const name = handler.slice(dot + 1);
  const found = module[name] ?? (module.default as Record<string, unknown> | undefined)?.[name];
  if (found === undefined) throw named('Runtime.HandlerNotFound', `${handler} is undefined or not exported`);
  if (typeof found !== 'function') throw named('Runtime.HandlerNotFound', `${handler} is not a function`);
  // Since Node.js 24 Lambda runs no callback-based handlers.
  if (found.length > 2) throw named('Runtime.CallbackHandlerDeprecated', `${handler} takes a callback`);
  return found as Handler;
}

function contextOf(request: Request): object {
  const deadline = performance.now() + request.timeoutMs;
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: request.invokedFunctionArn,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    awsRequestId: request.requestId,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
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

function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: error.stack?.split('\n') ?? [] };
}

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}

/** console and the standard streams go to the log group, in order with what is reported. */
function captureOutput(): void {
  const levels = { log: 'INFO', info: 'INFO', debug: 'DEBUG', trace: 'TRACE', warn: 'WARN', error: 'ERROR' } as const;
  for (const [method, level] of Object.entries(levels)) {
    console[method as keyof typeof levels] = (...values: unknown[]) => log(level, format(...values));
  }
  for (const stream of [process.stdout, process.stderr]) {
    stream.write = ((chunk: string | Uint8Array, ...rest: unknown[]) => {
      report({ kind: 'log', text: typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString() });
      const done = rest.at(-1);
      if (typeof done === 'function') queueMicrotask(() => done());
      return true;
    }) as typeof stream.write;
  }
}

function log(level: LogLevel, message: string): void {
  if (logLevels.indexOf(level) < logLevels.indexOf(boot.logLevel)) return;
  const timestamp = new Date().toISOString();
  const requestId = current?.requestId;
  const text = boot.jsonLogs
    ? JSON.stringify({ timestamp, level, requestId, message })
    : `${timestamp}\t${requestId ?? 'undefined'}\t${level}\t${message}`;
  report({ kind: 'log', text });
}

function report(message: Report): void {
  parentPort?.postMessage(message);
}
