/** What the wire knows of a service: the operations, HTTP bindings and errors that its SDK client carries as schemas. */
import { createRequire } from 'node:module';
import { NormalizedSchema, translateTraits } from '@smithy/core/schema';
import type { Codec, StaticErrorSchema, StaticOperationSchema } from '@smithy/types';
import type { ServiceName } from '../kernel.ts';

const require = createRequire(import.meta.url);

/** A service's own protocol; a client may ask in another (see router.ts). */
export type ProtocolId = 'awsQuery' | 'ec2Query' | 'awsJson1_0' | 'awsJson1_1' | 'restJson1' | 'restXml';

/** How an operation of a REST service is found and where its path labels stand. */
export interface HttpBinding {
  readonly method: string;
  readonly path: RegExp;
  /** Member names in the order of the path's groups. */
  readonly labels: readonly string[];
  /** Query parameters (`?acl`, `list-type=2`) that the model puts into the URI. */
  readonly query: readonly (readonly [name: string, value: string | undefined])[];
  /** Query parameters and headers that the request must carry: only they tell CopyObject from PutObject. */
  readonly requiredQuery: readonly string[];
  readonly requiredHeaders: readonly string[];
  readonly status: number;
  /** The more, the more specific; candidates are tried in descending order. */
  readonly specificity: number;
}

export interface OperationShape {
  readonly name: string;
  readonly input: NormalizedSchema;
  readonly output: NormalizedSchema;
  readonly http: HttpBinding | undefined;
}

export interface ErrorShape {
  readonly name: string;
  /** Differs from the name where the service has, or had, a query protocol. */
  readonly code: string;
  /** The model's, where it has one: S3's errors have none. */
  readonly status: number | undefined;
  readonly fault: 'client' | 'server';
  readonly schema: NormalizedSchema;
}

export interface ServiceShape {
  readonly name: ServiceName;
  readonly signingName: string;
  readonly protocol: ProtocolId;
  /** Prefix of `x-amz-target`, for the JSON protocols. */
  readonly target: string | undefined;
  /** `Version` of the query protocols. */
  readonly apiVersion: string | undefined;
  readonly xmlNamespace: string | undefined;
  /** The JSON codec of the client, with its choice of `jsonName`; undefined for the XML protocols. */
  readonly codec: Codec<unknown, unknown> | undefined;
  readonly operations: ReadonlyMap<string, OperationShape>;
  /** REST operations, the most specific first. */
  readonly rest: readonly (OperationShape & { readonly http: HttpBinding })[];
  /** By shape name and by wire code. */
  readonly errors: ReadonlyMap<string, ErrorShape>;
}

const OPERATION = 9;
const ERROR = -3;

/** Signing names (SigV4 scope) that differ from our service names. */
const signingNames: Readonly<Record<string, string>> = {
  sfn: 'states',
  eventbridge: 'events',
  cloudwatch: 'monitoring',
  'cloudwatch-logs': 'logs',
  'secrets-manager': 'secretsmanager',
  'service-quotas': 'servicequotas',
  'route-53': 'route53',
};

/** The SigV4 signing name of a service, known before its client is loaded. */
export const signingNameOf = (service: ServiceName): string => signingNames[service] ?? service;

interface ClientProtocol {
  getShapeId(): string;
  readonly serviceTarget?: string;
  readonly options?: { readonly xmlNamespace?: string; readonly version?: string };
  getPayloadCodec(): Codec<unknown, unknown>;
}
type ClientConstructor = new (
  config: object,
) => {
  readonly config: { readonly protocol: ClientProtocol; readonly defaultSigningName: string };
};

const services = new Map<string, ServiceShape>();

/** Loads a client's module and reads its schemas, once: 5-200 ms (EC2 is the largest), so the router does it on first use. */
export function loadService(name: ServiceName, sdk: string): ServiceShape {
  const known = services.get(name) ?? readService(name, sdk);
  services.set(name, known);
  return known;
}

function readService(name: ServiceName, sdk: string): ServiceShape {
  const exported: Record<string, unknown> = require(sdk);
  const [, Client] = Object.entries(exported).find(([key]) => key.endsWith('Client') && key !== '__Client') ?? [];
  if (typeof Client !== 'function') throw new Error(`${sdk} exports no client`);
  const credentials = { accessKeyId: 'unused', secretAccessKey: 'unused' };
  const { config } = new (Client as ClientConstructor)({ region: 'us-east-1', credentials });
  const protocol = config.protocol.getShapeId().split('#')[1] as ProtocolId;

  const operations = new Map<string, OperationShape>();
  const errors = new Map<string, ErrorShape>();
  for (const [key, schema] of Object.entries(exported)) {
    if (!key.endsWith('$') || !Array.isArray(schema)) continue;
    if (schema[0] === OPERATION) {
      const operation = operationShape(schema as unknown as StaticOperationSchema);
      operations.set(operation.name, operation);
    } else if (schema[0] === ERROR) {
      const error = errorShape(NormalizedSchema.of(schema as unknown as StaticErrorSchema));
      errors.set(error.name, error);
      if (!errors.has(error.code)) errors.set(error.code, error);
    }
  }
  return {
    name,
    signingName: config.defaultSigningName,
    protocol,
    target: config.protocol.serviceTarget,
    apiVersion: config.protocol.options?.version,
    xmlNamespace: config.protocol.options?.xmlNamespace,
    codec: /json/i.test(protocol) ? config.protocol.getPayloadCodec() : undefined,
    operations,
    rest: [...operations.values()]
      .filter((o): o is OperationShape & { http: HttpBinding } => o.http !== undefined)
      .sort((a, b) => b.http.specificity - a.http.specificity),
    errors,
  };
}

function operationShape(schema: StaticOperationSchema): OperationShape {
  const [, , name, traits, inputRef, outputRef] = schema;
  const input = NormalizedSchema.of(inputRef);
  const { http } = translateTraits(traits) as { http?: readonly [string, string, number] };
  return { name, input, output: NormalizedSchema.of(outputRef), http: http && httpBinding(http, input) };
}

function httpBinding([method, uri, status]: readonly [string, string, number], input: NormalizedSchema): HttpBinding {
  const [path = '/', search = ''] = uri.split('?');
  const labels: string[] = [];
  const pattern = path.replace(/\{([^}]+?)(\+?)\}|[^{]+/g, (text, label?: string, greedy?: string) => {
    if (label === undefined) return text.replace(/[.*+?^$()|[\]\\]/g, '\\$&');
    labels.push(label);
    return greedy ? '(.+)' : '([^/]+)';
  });
  // `x-id=GetObject` is the JavaScript client's own: other clients do not send it.
  const query = [...new URLSearchParams(search)]
    .filter(([key]) => key !== 'x-id')
    .map(([key, value]) => [key, value === '' ? undefined : value] as const);
  const required = requiredMembers(input).map(([, member]) => member.getMergedTraits());
  const requiredQuery = required.flatMap((traits) => (typeof traits.httpQuery === 'string' ? [traits.httpQuery] : []));
  const requiredHeaders = required.flatMap((traits) =>
    typeof traits.httpHeader === 'string' ? [traits.httpHeader.toLowerCase()] : [],
  );
  return {
    method,
    path: new RegExp(`^${pattern.replace(/\/$/, '')}/?$`),
    labels,
    query,
    requiredQuery,
    requiredHeaders,
    status,
    specificity:
      path.replace(/\{[^}]+\}/g, '').length -
      labels.length +
      100 * query.length +
      10 * (requiredQuery.length + requiredHeaders.length),
  };
}

function errorShape(schema: NormalizedSchema): ErrorShape {
  const traits = schema.getMergedTraits() as {
    error?: 'client' | 'server';
    httpError?: number;
    awsQueryError?: readonly [code: string, status: number];
  };
  const name = schema.getName() ?? '';
  const fault = traits.error ?? 'client';
  const [code, queryStatus] = traits.awsQueryError ?? [name, undefined];
  return { name, code, status: traits.httpError ?? queryStatus, fault, schema };
}

/** The members of a structure; none where there is none (an operation without input or output). */
export const members = (
  shape: NormalizedSchema | undefined,
): readonly (readonly [name: string, member: NormalizedSchema])[] =>
  shape?.isStructSchema() ? [...shape.structIterator()] : [];

/** The members that the model requires: a structure's schema lists them first and ends with their number. */
export function requiredMembers(shape: NormalizedSchema): ReturnType<typeof members> {
  const count = (shape.getSchema() as readonly unknown[])[6] ?? 0;
  return members(shape).slice(0, Number(count));
}
