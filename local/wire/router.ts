/** Which service, operation and protocol a request asks for. */
import { AwsError, type ServiceName } from '../kernel.ts';
import { rpcV2Cbor } from './cbor.ts';
import { awsJson1_0, awsJson1_1 } from './json.ts';
import type { WireRequest } from './message.ts';
import type { Protocol } from './protocol.ts';
import { awsQuery, ec2Query, formOf } from './query.ts';
import { restJson1, restXml, splitBucket } from './rest.ts';
import { loadService, type OperationShape, type ServiceShape, signingNameOf } from './schema.ts';
import { scopeOf } from './signature.ts';

/** What is known of a request; `operation` is undefined where no service has it. */
export interface Route {
  readonly service: ServiceShape | undefined;
  /** As the request's signature or host names the service, for want of a better name. */
  readonly signingName: string | undefined;
  readonly protocol: Protocol;
  readonly operation: OperationShape | undefined;
  readonly operationName: string;
  readonly region: string;
  readonly accessKeyId: string | undefined;
}
export interface Router {
  route(request: WireRequest): Route;
  /** A service's shapes, loaded on first use. */
  shape(name: ServiceName): ServiceShape;
}

/** By the names that the models give them. */
export const protocols = { awsQuery, ec2Query, awsJson1_0, awsJson1_1, restJson1, restXml };
/** Where a request says nothing, as the SDKs have it for global services. */
const DEFAULT_REGION = 'us-east-1';

export function createRouter(services: readonly { readonly name: ServiceName; readonly sdk: string }[]): Router {
  const loaded = new Map<ServiceName, ServiceShape>();
  const shape = (name: ServiceName): ServiceShape => {
    const known = loaded.get(name);
    if (known) return known;
    const entry = services.find((service) => service.name === name);
    if (!entry) throw new AwsError('NotImplemented', `no service ${name} in this cloud`);
    const made = loadService(name, entry.sdk);
    loaded.set(name, made);
    return made;
  };
  /** The service that the signature's scope or the host names; all of them where neither does (an unsigned request). */
  const candidates = (signingName: string | undefined): ServiceShape[] => {
    const named = services.filter(({ name }) => signingNameOf(name) === signingName);
    return (signingName === undefined ? services : named).map(({ name }) => shape(name));
  };
  return {
    shape,
    route(request) {
      const scope = scopeOf(request);
      const host = /^([a-z0-9]+)\.([a-z]{2}-[a-z]+-\d)\./.exec(request.headers.host ?? '');
      const signingName = scope?.service ?? host?.[1];
      const region = scope?.region ?? host?.[2] ?? DEFAULT_REGION;
      return { ...match(candidates(signingName), request), signingName, region, accessKeyId: scope?.accessKeyId };
    },
  };
}

type Match = Pick<Route, 'service' | 'protocol' | 'operation' | 'operationName'>;

function match(shapes: readonly ServiceShape[], request: WireRequest): Match {
  const { headers } = request;
  const type = headers['content-type'] ?? '';
  if (headers['smithy-protocol'] === 'rpc-v2-cbor') {
    const [, , prefix, , operation = ''] = request.path.split('/');
    return named(byTarget(shapes, prefix), operation, rpcV2Cbor);
  }
  const target = headers['x-amz-target'];
  if (target !== undefined) {
    const [prefix, operation = ''] = target.split('.');
    return named(byTarget(shapes, prefix), operation, type.includes('json-1.0') ? awsJson1_0 : awsJson1_1);
  }
  // Plain HTTP clients call any body a form, also an object for S3.
  const form = type.startsWith('application/x-www-form-urlencoded') || request.query.has('Action');
  if (form && !only(shapes)?.rest.length) return matchQuery(shapes, request);
  return matchRest(shapes, request);
}

const only = (shapes: readonly ServiceShape[]) => (shapes.length === 1 ? shapes[0] : undefined);
const byTarget = (shapes: readonly ServiceShape[], prefix: string | undefined) =>
  shapes.find(({ target }) => target === prefix) ?? only(shapes);

function named(service: ServiceShape | undefined, operation: string, protocol: Protocol): Match {
  return { service, operation: service?.operations.get(operation), operationName: operation, protocol };
}

function matchQuery(shapes: readonly ServiceShape[], request: WireRequest): Match {
  const form = formOf(request).children;
  const version = form.get('Version')?.value;
  const service = shapes.find(({ apiVersion }) => apiVersion === version) ?? only(shapes);
  const protocol = service?.protocol === 'ec2Query' ? ec2Query : awsQuery;
  return named(service, form.get('Action')?.value ?? '', protocol);
}

function matchRest(shapes: readonly ServiceShape[], request: WireRequest): Match {
  const { method, query, headers } = request;
  for (const service of shapes) {
    const path = service.name === 's3' ? splitBucket(request.path).rest : request.path;
    const root = service.name === 's3' && request.path === '/';
    const operation = service.rest.find(
      ({ name, http }) =>
        http.method === method &&
        http.path.test(path) &&
        (service.name !== 's3' || root === accountLevel.has(name)) &&
        (query.get('x-id') ?? name) === name &&
        http.query.every(([key, value]) => query.has(key) && (value === undefined || query.get(key) === value)) &&
        http.requiredQuery.every((key) => query.has(key)) &&
        http.requiredHeaders.every((key) => headers[key] !== undefined),
    );
    if (operation) return { service, operation, operationName: operation.name, protocol: protocols[service.protocol] };
  }
  const service = only(shapes);
  const protocol = service ? protocols[service.protocol] : restJson1;
  return { service, operation: undefined, operationName: `${method} ${request.path}`, protocol };
}

/** S3 operations without a bucket. */
const accountLevel = new Set(['ListBuckets', 'ListDirectoryBuckets']);
