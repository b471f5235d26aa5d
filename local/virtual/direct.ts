/**
 * The short way of a function's call to the cloud. Signing, writing and reading HTTP costs a hundred times what the call
 * does, so an SDK client's call is handed over as it is. Where it fails in a way that may pass, the failure takes the long way,
 * through the client's own stack: retries and their waits are the SDK's. Both ways meet in the same dispatch.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { ServiceName } from '../kernel.ts';
import { loadService, type ServiceShape } from '../wire/schema.ts';
import type { Dispatch } from '../wire/server.ts';
import { copierOf } from './copy.ts';
import { here, type Place, type Surroundings } from './here.ts';
import { type Reader, refusalOf } from './refusal.ts';

interface Command {
  readonly input: object;
  /** `[9, namespace, name, traits, input, output]` */
  readonly schema?: readonly unknown[];
}
interface Client {
  readonly config: {
    readonly serviceId: string;
    region(): Promise<string>;
    readonly protocol?: Reader;
    readonly requestHandler?: { readonly configProvider?: Promise<{ readonly requestTimeout?: number }> };
  };
}
type Send = (this: Client, command: Command, ...rest: unknown[]) => Promise<unknown>;

/** The failure of a call that took the short way, for its first attempt on the long one. */
const failed = new AsyncLocalStorage<{ error: unknown; met: boolean }>();

/** What the wire dispatches by: a call that has failed already fails there, and is not made again. */
export function dispatchOnce(dispatch: Dispatch): Dispatch {
  return async (request) => {
    const failure = failed.getStore();
    if (failure === undefined || failure.met) return dispatch(request);
    failure.met = true;
    throw failure.error;
  };
}

/** Whether the time that a request takes has passed already. */
export const hasTravelled = (): boolean => failed.getStore()?.met === false;

/** Bodies that are streamed, and payloads with methods of their own, take the long way. */
const long = new Set(['S3 GetObject', 'Lambda Invoke']);
const shapes = new Map<string, ServiceShape>();

/** Replaces `send` of the SDK's base class where a module exports it. */
export function shorten(exports: object): void {
  for (const value of Object.values(exports)) {
    const prototype = typeof value === 'function' ? (value.prototype as { send?: Send; destroy?: unknown }) : undefined;
    if (prototype && Object.hasOwn(prototype, 'send') && Object.hasOwn(prototype, 'destroy') && prototype.send) {
      const send = prototype.send;
      prototype.send = function (this: Client, command: Command, ...rest: unknown[]) {
        const place = here();
        const { around } = place;
        const name = `${this.config.serviceId} ${command.schema?.[2]}`;
        const takesShort = around?.dispatch !== undefined && rest.length === 0 && !long.has(name);
        return takesShort ? short(place, around, this, command, send) : send.call(this, command, ...rest);
      };
    }
  }
}

async function short(
  place: Place,
  around: Surroundings,
  client: Client,
  command: Command,
  send: Send,
): Promise<unknown> {
  const [, , name] = command.schema ?? [];
  const service = shapeOf(client.config.serviceId);
  const operation = service.operations.get(String(name));
  if (operation === undefined || around.dispatch === undefined) return send.call(client, command);
  // Drawn before anything else: a client's settings take longer to know for the first time, and runs would differ by that.
  const travelled = around.clock.sleep(around.latency());
  const { requestTimeout } = (await client.config.requestHandler?.configProvider) ?? {};
  const region = await client.config.region();
  await travelled;
  if (place.around !== around) return never();
  const late = Promise.withResolvers<never>();
  const inTime = around.clock.after(requestTimeout ?? 1e9, () => late.reject(timeOut()));
  try {
    const request = {
      service: service.name,
      operation: operation.name,
      input: copierOf(operation.input)(command.input, around.newToken) as Record<string, unknown>,
      region,
      accessKeyId: around.variables.AWS_ACCESS_KEY_ID,
      requestId: 'short',
    };
    const output = await Promise.race([around.dispatch(request), late.promise]);
    if (place.around !== around) return never();
    const copied = operation.output.isStructSchema() ? copierOf(operation.output)(output, around.newToken) : {};
    return { ...(copied as object), $metadata: { httpStatusCode: 200, attempts: 1, totalRetryDelay: 0 } };
  } catch (error) {
    if (place.around !== around) return never();
    const refusal = await refusalOf(error, service, command.schema ?? [], client.config);
    if (place.around !== around) return never();
    if (refusal !== undefined) throw refusal;
    return failed.run({ error, met: false }, () => send.call(client, command));
  } finally {
    inTime();
  }
}

/** Nobody hears a function that is gone. One each: what waits for a promise is kept as long as that. */
const never = () => new Promise<never>(() => {});

const timeOut = () => Object.assign(new Error('socket hang up'), { code: 'ETIMEDOUT' });

function shapeOf(serviceId: string): ServiceShape {
  const known = shapes.get(serviceId);
  if (known !== undefined) return known;
  const name = serviceId.toLowerCase().replaceAll(' ', '-') as ServiceName;
  const shape = loadService(name, `@aws-sdk/client-${name}`);
  shapes.set(serviceId, shape);
  return shape;
}
