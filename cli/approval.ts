/** A decision on a recovery that asks: sent to the product's own URL, signed with the person's credentials. */
import { createHash, createHmac } from 'node:crypto';
import { GetFunctionUrlConfigCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { HttpRequest } from '@smithy/core/protocols';
import { SignatureV4 } from '@smithy/signature-v4';
import type { RestoreTo } from '../core/incident/contracts.ts';

export interface Decision {
  readonly incident: string;
  readonly decision: 'approve' | 'decline';
  readonly reason: string;
  readonly restoreTo?: RestoreTo | undefined;
}

export interface Answer {
  /** HTTP: 200 decided · 400 bad input · 403 not allowed · 404 nothing to decide · 409 too late. */
  readonly status: number;
  readonly message: string;
}

/** What a person waits for the answer: the function has half a minute. */
const answeredMs = 35_000;

/** `lambda` is of the DR Region; `functionName` is the one behind the URL. */
export async function decide(lambda: LambdaClient, functionName: string, decision: Decision): Promise<Answer> {
  const { FunctionUrl = '' } = await lambda.send(new GetFunctionUrlConfigCommand({ FunctionName: functionName }));
  const url = new URL(FunctionUrl);
  const body = JSON.stringify(decision);
  const signer = new SignatureV4({
    credentials: lambda.config.credentials,
    region: lambda.config.region,
    service: 'lambda',
    sha256: Sha256,
  });
  const { headers } = await signer.sign(
    new HttpRequest({
      method: 'POST',
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      headers: { host: url.host, 'content-type': 'application/json' },
      body,
    }),
  );
  const response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(answeredMs) });
  return { status: response.status, message: messageOf(await response.text()) };
}

/** Ours is `message`, that of Lambda itself `Message`. */
function messageOf(text: string): string {
  try {
    const { message, Message } = JSON.parse(text) as { message?: string; Message?: string };
    return message ?? Message ?? text;
  } catch {
    return text;
  }
}

/** SHA-256 and HMAC-SHA-256 in the form that the signer takes. */
class Sha256 {
  readonly #hash;
  constructor(secret?: unknown) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as string);
  }
  update(data: unknown) {
    this.#hash.update(data as string);
  }
  digest = async () => new Uint8Array(this.#hash.digest());
  reset() {}
}
