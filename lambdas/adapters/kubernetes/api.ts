/** One request to the Kubernetes API of a cluster. */
import { request } from 'node:https';
import { WorkloadNotReady } from '../../../core/database/errors.ts';
import type { Cluster } from './clusters.ts';

const requestTimeoutMs = 8_000;

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly token: string;
  readonly body?: string | undefined;
}

/** The cluster's certificate is verified against its own CA. Throws WorkloadNotReady where no answer comes in time. */
export function send(
  { endpoint, ca }: Cluster,
  { method, path, token, body }: Call,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) =>
      reject(WorkloadNotReady(`The Kubernetes API at ${endpoint} does not answer: ${cause.message}`, { cause }));
    const headers = {
      authorization: `Bearer ${token}`,
      accept: 'application/json',
      ...(body !== undefined && {
        'content-type': 'application/strategic-merge-patch+json',
        'content-length': Buffer.byteLength(body),
      }),
    };
    const signal = AbortSignal.timeout(requestTimeoutMs);
    const sent = request(new URL(path, endpoint), { method, ca, headers, signal }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', fail);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString() }));
    });
    sent.on('error', fail);
    sent.end(body);
  });
}
