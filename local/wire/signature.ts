/** Signature Version 4: who signed a request, and whether the signature is theirs. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { HttpRequest } from '@smithy/core/protocols';
import { SignatureV4 } from '@smithy/signature-v4';
import { AwsError, type IssuedCredentials } from '../kernel.ts';

/** The part of a request that is signed. Header names in lower case. */
export interface SignedRequest {
  readonly method: string;
  /** Percent-encoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
}

/** Credentials that the cloud issued; undefined for any other key, which is the operator's and is not verified. */
export type SecretFor = (accessKeyId: string) => IssuedCredentials | undefined;

export interface Scope {
  readonly accessKeyId: string;
  readonly region: string;
  readonly service: string;
}
interface Signature extends Scope {
  readonly presigned: boolean;
  /** `20261122T203000Z` */
  readonly date: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly token: string | undefined;
}

/** The credential scope of a request, in its header or (presigned) its query; undefined for an unsigned request. */
export const scopeOf = (request: SignedRequest): Scope | undefined => signatureOf(request);

function signatureOf({ headers, query }: SignedRequest): Signature | undefined {
  const authorization = headers.authorization;
  const presigned = authorization === undefined;
  const field = (name: string) =>
    presigned ? query.get(`X-Amz-${name}`) : new RegExp(`${name}=([^,\\s]+)`).exec(authorization)?.[1];
  const [accessKeyId, , region, service] = field('Credential')?.split('/') ?? [];
  const [signature, signedHeaders] = [field('Signature'), field('SignedHeaders')];
  if (!accessKeyId || !region || !service || !signature || !signedHeaders) return undefined;
  return {
    accessKeyId,
    region,
    service,
    signature,
    presigned,
    signedHeaders: signedHeaders.split(';'),
    date: (presigned ? query.get('X-Amz-Date') : headers['x-amz-date']) ?? '',
    token: (presigned ? query.get('X-Amz-Security-Token') : headers['x-amz-security-token']) ?? undefined,
  };
}

/**
 * Checks a request that issued credentials signed, for this service and Region. Returns the access key, or undefined for
 * an unsigned request. Throws AwsError: InvalidClientTokenId for a wrong session token, SignatureDoesNotMatch for
 * anything else that differs from what was signed, the body included.
 */
export async function verifySignature(
  request: SignedRequest,
  body: Uint8Array,
  service: string,
  region: string,
  secretFor: SecretFor,
): Promise<string | undefined> {
  const signed = signatureOf(request);
  if (!signed) return undefined;
  const credentials = secretFor(signed.accessKeyId);
  if (!credentials) return signed.accessKeyId;
  if (signed.token !== credentials.sessionToken)
    throw new AwsError('InvalidClientTokenId', 'The security token included in the request is invalid.');
  if (signed.service !== service || signed.region !== region)
    throw mismatch(`Credential should be scoped to ${region}/${service}, not ${signed.region}/${signed.service}.`);
  checkBody(request, body);
  const expected = Buffer.from(await signatureFor(request, body, signed, credentials));
  const actual = Buffer.from(signed.signature);
  if (expected.length !== actual.length || !timingSafeEqual(expected, actual))
    throw mismatch('Check your AWS Secret Access Key and signing method.');
  return signed.accessKeyId;
}

const mismatch = (why: string) =>
  new AwsError(
    'SignatureDoesNotMatch',
    `The request signature we calculated does not match the signature you provided. ${why}`,
  );

/** A declared body hash must be the body's; a streamed or unsigned payload declares none. */
function checkBody({ headers }: SignedRequest, body: Uint8Array): void {
  const declared = headers['x-amz-content-sha256'];
  if (declared === undefined || !/^[0-9a-f]{64}$/.test(declared)) return;
  if (createHash('sha256').update(body).digest('hex') !== declared) throw mismatch('The body is not what was signed.');
}

/** The signature that the holder of these credentials would have made of the signed part of this request. */
async function signatureFor(
  { method, path, query, headers }: SignedRequest,
  body: Uint8Array,
  { service, region, date, signedHeaders, presigned }: Signature,
  { accessKeyId, secretAccessKey, sessionToken }: IssuedCredentials,
): Promise<string> {
  const names = new Set(signedHeaders);
  const signer = new SignatureV4({
    credentials: { accessKeyId, secretAccessKey, sessionToken },
    service,
    region,
    sha256: Sha256,
    uriEscapePath: service !== 's3',
    applyChecksum: false,
  });
  const own = /^X-Amz-(Algorithm|Credential|Date|Expires|SignedHeaders|Signature|Security-Token)$/;
  const request = new HttpRequest({
    method,
    path,
    query: Object.fromEntries(
      [...new Set(query.keys())].filter((k) => !presigned || !own.test(k)).map((k) => [k, query.getAll(k)]),
    ),
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => names.has(name))),
    body,
  });
  const signingDate = new Date(date.replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5'));
  const options = { signingDate, signableHeaders: names };
  if (presigned) {
    const expiresIn = Number(query.get('X-Amz-Expires'));
    const again = await signer.presign(request, { ...options, expiresIn, unhoistableHeaders: names });
    return String(again.query?.['X-Amz-Signature']);
  }
  const again = await signer.sign(request, options);
  return again.headers.authorization?.split('Signature=')[1] ?? '';
}

/** SHA-256 and HMAC-SHA-256 in the form that the signer takes. */
class Sha256 {
  readonly #hash: ReturnType<typeof createHash> | ReturnType<typeof createHmac>;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash =
      secret === undefined
        ? createHash('sha256')
        : createHmac('sha256', typeof secret === 'string' ? secret : bytes(secret));
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(typeof data === 'string' ? data : bytes(data));
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
  reset(): void {
    throw new Error('not used by the signer');
  }
}
const bytes = (data: ArrayBuffer | ArrayBufferView): Uint8Array =>
  ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
