/** A request and a response between HTTP and the protocols. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';

export interface WireRequest {
  readonly method: string;
  /** As sent: still percent-encoded, dot segments kept (they are legal in S3 keys). */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  /** As sent, which is as signed: `headers` has lost `aws-chunked` and gained the trailers. */
  readonly sentHeaders: Readonly<Record<string, string>>;
  readonly body: Buffer;
}
export interface WireResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | Readable;
}

/** Reads a request to its end, aws-chunked framing taken off and its trailing checksums moved to the headers. */
export async function readRequest(message: IncomingMessage): Promise<WireRequest> {
  const sentHeaders = flatten(message.headers);
  const headers = { ...sentHeaders };
  const raw = await buffer(message);
  const chunked =
    headers['content-encoding']?.includes('aws-chunked') || headers['x-amz-content-sha256']?.startsWith('STREAMING-');
  const { body, trailers } = chunked ? readChunks(raw) : { body: raw, trailers: {} };
  const encoding = (headers['content-encoding'] ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '' && part !== 'aws-chunked');
  if (encoding.length > 0) headers['content-encoding'] = encoding.join(',');
  else delete headers['content-encoding'];
  const [path = '/', ...search] = (message.url ?? '/').split('?');
  return {
    method: message.method ?? 'GET',
    path,
    query: new URLSearchParams(search.join('?')),
    headers: { ...headers, ...trailers },
    sentHeaders,
    body,
  };
}

const flatten = (headers: IncomingHttpHeaders): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(',') : value]],
    ),
  );

/** aws-chunked: `<hex size>[;chunk-signature=…]\r\n<bytes>\r\n` until size 0, then trailers. */
function readChunks(raw: Buffer): { body: Buffer; trailers: Record<string, string> } {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const end = raw.indexOf('\r\n', at);
    const size = Number.parseInt(raw.toString('latin1', at, end), 16);
    if (end < 0 || Number.isNaN(size)) throw new Error('malformed aws-chunked body');
    at = end + 2;
    if (size === 0) break;
    chunks.push(raw.subarray(at, at + size));
    at += size + 2;
  }
  const trailers = Object.fromEntries(
    raw
      .toString('latin1', at)
      .split('\r\n')
      .flatMap((line) => {
        const colon = line.indexOf(':');
        return colon < 0 ? [] : [[line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]];
      }),
  );
  return { body: Buffer.concat(chunks), trailers };
}
