/** One SDK client per service and Region for the life of an execution environment. */
import type { Logger, NodeHttpHandlerOptions } from '@smithy/types';
import { keep } from '../../kept.ts';

/** Of a role that was assumed. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

interface ClientOptions {
  readonly region: string;
  readonly credentials?: Credentials;
  readonly maxAttempts: number;
  readonly logger: Logger;
  readonly requestHandler: NodeHttpHandlerOptions;
}

/** Without `info` the SDK does not copy every input and output for a log that nobody keeps. */
const logger = { debug() {}, warn() {}, error() {} } as unknown as Logger;

/** By class, then by Region and credentials. */
const makeClients = () => new Map<unknown, Map<string, unknown>>();

/**
 * The client of a service in a Region: `clientFor(RDSClient, 'us-west-2')`. A Region that hangs costs a step at most
 * maxAttempts × requestTimeout, well within its own timeout; Step Functions retries beyond that. Without credentials it
 * calls as the function's own role.
 */
export function clientFor<C>(Client: new (options: ClientOptions) => C, region: string, credentials?: Credentials): C {
  const clients = keep(makeClients);
  const ofService = clients.get(Client) ?? new Map<string, unknown>();
  clients.set(Client, ofService);
  const key = [region, credentials?.accessKeyId].join(' ');
  const known = ofService.get(key);
  if (known instanceof Client) return known;
  const client = new Client({
    region,
    ...(credentials && { credentials }),
    maxAttempts: 3,
    logger,
    // Without throwOnRequestTimeout the SDK only logs a warning and goes on waiting.
    requestHandler: { connectionTimeout: 2_000, requestTimeout: 8_000, throwOnRequestTimeout: true },
  });
  ofService.set(key, client);
  return client;
}
