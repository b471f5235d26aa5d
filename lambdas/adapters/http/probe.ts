/** HTTP as a client sees it: one request, one answer, bounded in time. */
import type { Http } from '../../../core/validation/ports.ts';

export const http: Http = {
  async request({ method, url, headers, body, timeoutMs }) {
    const begun = performance.now();
    const response = await fetch(url, {
      method,
      ...(headers && { headers: { ...headers } }),
      ...(body !== undefined && { body }),
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await response.text(); // under the same limit
    const elapsedMilliseconds = performance.now() - begun;
    return { status: response.status, headers: Object.fromEntries(response.headers), body: text, elapsedMilliseconds };
  },
};
