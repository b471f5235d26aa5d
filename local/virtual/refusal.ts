/**
 * The short way of a refusal: what the cloud refuses for good, no client sends again. Its own reader of answers makes the
 * exception of it, and all that lies between (signing, retries, HTTP) would add nothing.
 */
import { AwsError } from '../kernel.ts';
import { toWireError, type WireError } from '../wire/errors.ts';
import { protocols } from '../wire/router.ts';
import type { ServiceShape } from '../wire/schema.ts';

/** The part of an SDK client that reads answers. */
export interface Reader {
  getShapeId(): string;
  /** Rejects with the exception where the status says so. */
  deserializeResponse(operation: object, context: object, response: object): Promise<unknown>;
}

/**
 * What SDK clients try again, or remember, by its name (@smithy/core, service-error-classification): throttling, timeouts,
 * clocks that differ.
 */
const triedAgain =
  /throttl|limitexceeded|toomanyrequests|slowdown|throughput|timeout|priorrequest|inprogress|accessdenied|signature|expired|skew|future/i;

const isFinal = ({ shape, name, code, status }: WireError): boolean =>
  shape !== undefined &&
  shape.schema.getMergedTraits().retryable === undefined &&
  status < 500 &&
  status !== 429 &&
  !triedAgain.test(name) &&
  !triedAgain.test(code);

/** The exception that a client makes of a refusal; undefined where it might try again, or speaks what is not known here. */
export async function refusalOf(
  error: unknown,
  service: ServiceShape,
  [, namespace, name, traits, input, output]: readonly unknown[],
  config: { readonly protocol?: Reader },
): Promise<unknown> {
  const { protocol } = config;
  const spoken = protocol && protocolNamed(protocol.getShapeId());
  if (protocol === undefined || spoken === undefined || !(error instanceof AwsError)) return undefined;
  const refused = toWireError(error, service);
  if (!isFinal(refused)) return undefined;
  const { status, headers, body } = spoken.writeError(service, refused, 'short');
  const response = { statusCode: status, headers: { ...headers }, body: Buffer.from(body as string) };
  const operation = { namespace, name, traits, input, output };
  const exception = await protocol.deserializeResponse(operation, config, response).catch((thrown: unknown) => thrown);
  const { $metadata } = exception as { $metadata: object };
  Object.assign($metadata, { attempts: 1, totalRetryDelay: 0 });
  return exception;
}

/** `aws.protocols#awsJson1_0` */
function protocolNamed(shapeId: string) {
  const name = shapeId.slice(shapeId.indexOf('#') + 1);
  return Object.hasOwn(protocols, name) ? protocols[name as keyof typeof protocols] : undefined;
}
