/** One SDK client per service and Region for the life of a function instance. */
import type { NodeHttpHandlerOptions } from '@smithy/types';

interface ClientOptions {
  readonly region: string;
  readonly maxAttempts: number;
  readonly requestHandler: NodeHttpHandlerOptions;
}

const clients = new Map<unknown, Map<string, unknown>>();

/**
 * The client of a service in a Region: `clientFor(RDSClient, 'us-west-2')`. A Region that hangs costs a step at most
 * maxAttempts × requestTimeout, well within its own timeout; Step Functions retries beyond that.
 */
export function clientFor<C>(Client: new (options: ClientOptions) => C, region: string): C {
  const ofService = clients.get(Client) ?? new Map<string, unknown>();
  clients.set(Client, ofService);
  const known = ofService.get(region);
  if (known instanceof Client) return known;
  const client = new Client({
    region,
    maxAttempts: 3,
    // Without throwOnRequestTimeout the SDK only logs a warning and goes on waiting.
    requestHandler: { connectionTimeout: 2_000, requestTimeout: 8_000, throwOnRequestTimeout: true },
  });
  ofService.set(region, client);
  return client;
}
