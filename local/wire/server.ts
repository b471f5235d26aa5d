/** The cloud's one HTTP server: every AWS protocol, every service, both Regions, on 127.0.0.1. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AwsError, type ServiceName } from '../kernel.ts';
import { type Listening, loopback, type Network } from '../network.ts';
import { Unreachable } from '../outages.ts';
import { toWireError } from './errors.ts';
import { readRequest, type WireRequest, type WireResponse } from './message.ts';
import { restJson1 } from './rest.ts';
import { createRouter, type Route, type Router } from './router.ts';
import { members, type OperationShape, type ServiceShape } from './schema.ts';
import { type SecretFor, verifySignature } from './signature.ts';

/** Carries out an operation. Throws AwsError for what the caller is told; anything else is an InternalFailure. */
export type Dispatch = (request: {
  readonly service: ServiceName;
  readonly operation: string;
  readonly input: Record<string, unknown>;
  readonly region: string;
  readonly accessKeyId: string | undefined;
  readonly requestId: string;
}) => Promise<Record<string, unknown>>;

export interface WireOptions {
  readonly services: readonly { readonly name: ServiceName; readonly sdk: string }[];
  readonly dispatch: Dispatch;
  /** What takes a request of this path as it comes, unread; undefined for a call of a service. */
  readonly route?: (path: string) => RequestListener | undefined;
  /** 0, the default, takes a free one. */
  readonly port?: number;
  /** Where it listens; without one, on 127.0.0.1. */
  readonly network?: Network;
  /** Where given, requests signed with issued credentials must verify. */
  readonly secretFor?: SecretFor;
}
export type Wire = Listening;

/** Starts listening. Clients' modules are loaded when a service is first called, so this takes milliseconds. */
export function createWire(options: WireOptions): Promise<Wire> {
  const { network = loopback, port = 0 } = options;
  const router = createRouter(options.services);
  const listener = (message: IncomingMessage, response: ServerResponse) => {
    const raw = options.route?.(message.url ?? '/');
    if (raw) return raw(message, response);
    readRequest(message)
      .then((request) => answer(request, router, options))
      .then((answered) => send(response, answered, message.method === 'HEAD'))
      .catch((error: unknown) => {
        // The client hung up, or its body ended early or was malformed: there is nobody to answer in its protocol.
        if (!(error instanceof Unreachable)) console.error(error);
        response.destroy();
      });
  };
  return network.listen(listener, { port });
}

async function answer(request: WireRequest, router: Router, options: WireOptions): Promise<WireResponse> {
  const requestId = randomUUID();
  let route: Route | undefined;
  try {
    route = router.route(request);
    const { service, operation, protocol, region, accessKeyId } = route;
    if (!service || !operation || hasEventStream(route))
      throw new AwsError(
        'NotImplemented',
        `${service?.name ?? route.signingName ?? 'unknown service'}:${route.operationName} is not implemented`,
      );
    if (options.secretFor)
      await verifySignature(
        { ...request, headers: request.sentHeaders },
        request.body,
        service.signingName,
        region,
        options.secretFor,
      );
    const input = await readInput(route, service, operation, request);
    const call = { service: service.name, operation: operation.name, input, region, accessKeyId, requestId };
    return protocol.writeOutput(service, operation, await options.dispatch(call), requestId);
  } catch (error) {
    if (error instanceof Unreachable) throw error;
    const protocol = route?.protocol ?? restJson1;
    return protocol.writeError(route?.service, toWireError(error, route?.service), requestId);
  }
}

/** A body that is not of the operation's form is the client's mistake. */
async function readInput(
  { protocol }: Route,
  service: ServiceShape,
  operation: OperationShape,
  request: WireRequest,
): Promise<Record<string, unknown>> {
  try {
    return await protocol.readInput(service, operation, request);
  } catch (cause) {
    throw new AwsError('SerializationException', `${operation.name}: ${(cause as Error).message}`);
  }
}

/** Event streams (Lambda's response streaming, Logs' live tail) are framed messages, not one document. */
const hasEventStream = ({ operation }: Route): boolean =>
  [...members(operation?.input), ...members(operation?.output)].some(
    ([, member]) => member.isStreaming() && member.isStructSchema(),
  );

async function send(response: ServerResponse, { status, headers, body }: WireResponse, head: boolean): Promise<void> {
  // The length of what HEAD describes is the output's own; any other body's length is counted here.
  const { 'content-length': declared, ...rest } = headers;
  if (head || status === 304) {
    response.writeHead(status, declared === undefined ? rest : headers).end();
  } else if (body instanceof Readable) {
    response.writeHead(status, headers);
    await pipeline(body, response);
  } else {
    const bytes = Buffer.from(body as string);
    response.writeHead(status, { ...rest, 'content-length': bytes.length }).end(bytes);
  }
}
