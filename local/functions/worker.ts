/**
 * The runtime inside a function's own thread: loads the handler as Lambda's Node runtime does, and runs one invocation at a
 * time. This file is the function's world, not the cloud's: its Date is what the function sees.
 */
import { flushCompileCache } from 'node:module';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';
import { parentPort, workerData } from 'node:worker_threads';
import type { Boot, Report, Request } from './protocol.ts';
import {
  connectUnlessCut,
  failureOf,
  fileOf,
  handlerIn,
  levels,
  log,
  onConnect,
  run,
  type Surroundings,
  unhandled,
} from './runtime.ts';

const boot = workerData as Boot;
const report = (message: Report) => parentPort?.postMessage(message);
const around: Surroundings = { boot, variables: process.env, current: undefined, report };

// Set for this file's own loading; a function's environment is the template's.
delete process.env.NODE_COMPILE_CACHE;
captureOutput();
onConnect((socket, port, connect) => connectUnlessCut(boot.ways, socket, port, connect));
process.on('uncaughtException', (error) => report({ kind: 'failed', failure: failureOf(error), fatal: true }));
process.on('unhandledRejection', (reason) => report({ kind: 'failed', failure: unhandled(reason), fatal: true }));

try {
  const handler = handlerIn(await import(pathToFileURL(fileOf(boot)).href), boot);
  parentPort?.on('message', (request: Request) => void run(handler, request, around));
  report({ kind: 'ready' });
  flushCompileCache();
} catch (error) {
  report({ kind: 'unready', failure: failureOf(error) });
}

/** console and the standard streams go to the log group, in order with what is reported. */
function captureOutput(): void {
  for (const [method, level] of Object.entries(levels))
    console[method as keyof typeof levels] = (...values: unknown[]) => log(around, level, format(...values));
  for (const stream of [process.stdout, process.stderr]) {
    stream.write = ((chunk: string | Uint8Array, ...rest: unknown[]) => {
      report({ kind: 'log', text: typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString() });
      const done = rest.at(-1);
      if (typeof done === 'function') queueMicrotask(() => done());
      return true;
    }) as typeof stream.write;
  }
}
