/** Function URLs: `<endpoint>/_url/<id>/…`, signed by the caller, checked against IAM, handed to the function as payload format 2.0. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { AwsError, type Home, type Signer } from '../../kernel.ts';
import type { UrlAnswer } from './operations.ts';
import type { FunctionUrl, Registry } from './registry.ts';

/** Where function URLs live on the cloud's server. */
export const urlPrefix = '/_url/';

/** What serves that path, where it is a function URL of this Region. */
export function urlRoute(home: Home, registry: Registry, path: string): RequestListener | undefined {
  if (!path.startsWith(urlPrefix)) return undefined;
  const url = registry.urlById(path.slice(urlPrefix.length).split('/', 1)[0] ?? '');
  return url && ((request, response) => void serve(home, url, request, response));
}

async function serve(home: Home, url: FunctionUrl, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const body = await buffer(request);
    const signer = await home.authenticate(request, body, 'lambda');
    const { name, qualifier } = url.address;
    const input = {
      FunctionName: name,
      ...(qualifier !== undefined && { Qualifier: qualifier }),
      Event: JSON.stringify(await eventOf(home, url, request, body, signer)),
    };
    const answer = await home.call<UrlAnswer>('lambda', 'InvokeFunctionUrl', input, signer.principal);
    if (answer.failed) send(response, 502, { Message: 'Internal Server Error' });
    else respond(response, JSON.parse(answer.payload));
  } catch (error) {
    const code = error instanceof AwsError ? error.code : 'InternalFailure';
    if (code === 'TooManyRequestsException') send(response, 429, { Message: 'Rate Exceeded.' });
    else if (error instanceof AwsError) send(response, 403, { Message: `Forbidden. ${error.message}` });
    else send(response, 500, { Message: 'Internal Server Error' });
  }
}

/** https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads */
async function eventOf(
  home: Home,
  url: FunctionUrl,
  request: IncomingMessage,
  body: Buffer,
  signer: Signer,
): Promise<object> {
  const [path = '', ...search] = (request.url ?? '').split('?');
  const rawQueryString = search.join('?');
  const rawPath = decodeURIComponent(path.slice(urlPrefix.length + url.id.length));
  const query = new URLSearchParams(rawQueryString);
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : value]),
  );
  const isText = /^(text\/|application\/(json|xml|javascript|x-www-form-urlencoded))/.test(
    headers['content-type'] ?? '',
  );
  const now = home.clock.now();
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString,
    headers,
    ...(query.size > 0 && {
      queryStringParameters: Object.fromEntries(
        [...new Set(query.keys())].map((key) => [key, query.getAll(key).join(',')]),
      ),
    }),
    requestContext: {
      accountId: home.account,
      apiId: url.id,
      authentication: null,
      authorizer: { iam: await identityOf(home, signer) },
      domainName: `${url.id}.lambda-url.${home.region}.on.aws`,
      domainPrefix: url.id,
      http: {
        method: request.method,
        path: rawPath,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: request.socket.remoteAddress,
        userAgent: headers['user-agent'],
      },
      requestId: crypto.randomUUID(),
      routeKey: '$default',
      stage: '$default',
      time: apacheTime(now),
      timeEpoch: now,
    },
    ...(body.length > 0 && { body: body.toString(isText ? 'utf8' : 'base64') }),
    isBase64Encoded: body.length > 0 && !isText,
  };
}

async function identityOf(home: Home, { principal, accessKeyId }: Signer): Promise<object> {
  const { UserId, Account, Arn } = await home.call('sts', 'GetCallerIdentity', {}, principal);
  return {
    accessKey: accessKeyId,
    accountId: Account,
    callerId: UserId,
    cognitoIdentity: null,
    principalOrgId: null,
    userArn: Arn,
    userId: UserId,
  };
}

/** `22/Nov/2026:20:30:38 +0000` */
function apacheTime(now: number): string {
  const [, day, month, year, time] = new Date(now).toUTCString().split(/[ ,]+/);
  return `${day}/${month}/${year}:${time} +0000`;
}

interface Structured {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookies?: readonly string[];
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
}

/** What has a `statusCode` is a response; anything else is the body of one. */
function respond(response: ServerResponse, result: unknown): void {
  if (typeof result !== 'object' || result === null || !('statusCode' in result)) {
    send(response, 200, result);
    return;
  }
  const { statusCode, headers, cookies, body = '', isBase64Encoded } = result as Structured;
  response.writeHead(statusCode, {
    'content-type': 'application/json',
    ...headers,
    ...(cookies && { 'set-cookie': [...cookies] }),
  });
  response.end(isBase64Encoded ? Buffer.from(body, 'base64') : body);
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
