/** The application as its synthetic tenant sees it. */
import type { Parameters } from '../database/ports.ts';
import { messageOf } from '../database/sql.ts';
import type { ApplicationTarget } from '../settings.ts';
import { ApplicationFailed, ApplicationNotReady } from './errors.ts';
import type { Http, HttpResponse } from './ports.ts';

/** Tenant 1 of STOCKER Pro, `synthetic-dr`: its rows are nobody's. */
const syntheticTenant = '1';
const requestTimeoutMs = 5_000;

export interface Api {
  readonly url: string;
  /** Any answer; throws ApplicationNotReady where none comes. */
  get(path: string): Promise<HttpResponse>;
  /** Throws ApplicationFailed where the status is another. */
  expect(status: number, method: 'GET' | 'POST', path: string, body?: unknown): Promise<HttpResponse>;
}

export async function openApi(
  { urlParameter }: ApplicationTarget,
  { http, parameters }: { http: Http; parameters: Pick<Parameters, 'read'> },
): Promise<Api> {
  const url = (await parameters.read(urlParameter))?.replace(/\/$/, '');
  if (url === undefined) throw ApplicationFailed(`Parameter ${urlParameter} does not exist.`);
  const send = (method: 'GET' | 'POST', path: string, body?: unknown) =>
    http
      .request({
        method,
        url: url + path,
        headers: { 'x-tenant': syntheticTenant, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        timeoutMs: requestTimeoutMs,
      })
      .catch((cause: unknown) => {
        throw ApplicationNotReady(`${method} ${url}${path} is not answered: ${messageOf(cause)}`, { cause });
      });
  return {
    url,
    get: (path) => send('GET', path),
    async expect(status, method, path, body) {
      const response = await send(method, path, body);
      if (response.status === status) return response;
      throw ApplicationFailed(
        `${method} ${path} answers ${response.status}, not ${status}: ${response.body.slice(0, 200)}`,
      );
    },
  };
}

/** A field of a JSON answer as text; empty where it is none. */
export function textOf(response: HttpResponse, field: string): string {
  try {
    const value: unknown = JSON.parse(response.body)?.[field];
    return value == null ? '' : String(value);
  } catch {
    return '';
  }
}
