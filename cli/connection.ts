/** Where an operator’s calls go. */
import type { Connection } from './clients.ts';

/** AWS, or the cloud that the environment names. */
export function connectionOfEnvironment(): Connection {
  const endpoint = process.env.AWS_ENDPOINT_URL;
  return endpoint ? { endpoint } : {};
}
