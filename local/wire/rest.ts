/** restJson1 and restXml: members bound to path, query, headers, status and body. */
import { Readable } from 'node:stream';
import { XmlShapeDeserializer } from '@aws-sdk/core/protocols';
import { FromStringShapeDeserializer, ToStringShapeSerializer } from '@smithy/core/protocols';
import type { NormalizedSchema } from '@smithy/core/schema';
import type { WireError } from './errors.ts';
import { errorDocument, readJson, writeJson } from './json.ts';
import type { WireRequest, WireResponse } from './message.ts';
import type { Protocol, Value } from './protocol.ts';
import { describe } from './query.ts';
import { members, type OperationShape, type ServiceShape } from './schema.ts';
import { declaration, element, escapeXml } from './xml.ts';

const DATE_TIME = 5;
const HTTP_DATE = 6;
const uriValues = new FromStringShapeDeserializer({
  timestampFormat: { useTrait: true, default: DATE_TIME },
  httpBindings: false,
});
const headerSettings = { timestampFormat: { useTrait: true, default: HTTP_DATE }, httpBindings: true } as const;
const headerValues = new FromStringShapeDeserializer(headerSettings);

/** Where a member of a REST message travels. */
type Location = 'label' | 'query' | 'queryParams' | 'header' | 'prefixHeaders' | 'status' | 'payload' | 'body';
function locationOf(member: NormalizedSchema): Location {
  const traits = member.getMergedTraits();
  if (traits.httpLabel) return 'label';
  if (traits.httpQuery !== undefined) return 'query';
  if (traits.httpQueryParams !== undefined) return 'queryParams';
  if (traits.httpHeader !== undefined) return 'header';
  if (traits.httpPrefixHeaders !== undefined) return 'prefixHeaders';
  if (traits.httpResponseCode !== undefined) return 'status';
  return traits.httpPayload === undefined ? 'body' : 'payload';
}
const nameIn = (member: NormalizedSchema, trait: 'httpQuery' | 'httpHeader' | 'httpPrefixHeaders'): string =>
  String(member.getMergedTraits()[trait] ?? '');

/** S3 addresses the bucket by the first segment of the path: the model has it in the host name. */
export function splitBucket(path: string): { bucket: string; rest: string } {
  const [, bucket = '', ...key] = path.split('/');
  return { bucket: decodeURIComponent(bucket), rest: `/${key.join('/')}` };
}

async function readInput(service: ServiceShape, operation: OperationShape, request: WireRequest): Promise<Value> {
  const input: Value = {};
  const s3 = service.name === 's3' ? splitBucket(request.path) : undefined;
  const segments = operation.http?.path.exec(s3?.rest ?? request.path) ?? [];
  const label = (name: string) => {
    const index = operation.http?.labels.indexOf(name) ?? -1;
    return index < 0 ? undefined : segments[index + 1];
  };
  const document = members(operation.input).some(([, member]) => locationOf(member) === 'body')
    ? ((await readDocument(service, operation.input, request.body)) as Value | undefined)
    : undefined;

  const parts = { service, operation, request, label, document };
  for (const [name, member] of members(operation.input)) {
    const value = await readMember(parts, name, member);
    if (value !== undefined) input[name] = value;
  }
  if (s3 && members(operation.input).some(([name]) => name === 'Bucket')) input.Bucket = s3.bucket;
  return input;
}

/** A request taken apart: what its members are read from. */
interface Parts {
  readonly service: ServiceShape;
  readonly operation: OperationShape;
  readonly request: WireRequest;
  readonly label: (name: string) => string | undefined;
  readonly document: Value | undefined;
}

function readMember(
  { service, operation, request, label, document }: Parts,
  name: string,
  member: NormalizedSchema,
): unknown {
  const { headers, query, body } = request;
  switch (locationOf(member)) {
    case 'label': {
      const text = label(name);
      return text === undefined ? undefined : uriValues.read(member, decodeURIComponent(text));
    }
    case 'query': {
      const values = query.getAll(nameIn(member, 'httpQuery'));
      if (values.length === 0) return undefined;
      return member.isListSchema()
        ? values.map((value) => uriValues.read(member.getValueSchema(), value))
        : uriValues.read(member, values[0] ?? '');
    }
    case 'queryParams': {
      const bound = new Set(members(operation.input).map(([, other]) => nameIn(other, 'httpQuery')));
      const list = member.getValueSchema().isListSchema();
      const free = [...new Set(query.keys())].filter((key) => !bound.has(key));
      return Object.fromEntries(free.map((key) => [key, list ? query.getAll(key) : query.get(key)]));
    }
    case 'header': {
      const value = headers[nameIn(member, 'httpHeader').toLowerCase()];
      return value === undefined ? undefined : headerValues.read(member, value);
    }
    case 'prefixHeaders': {
      const prefix = nameIn(member, 'httpPrefixHeaders').toLowerCase();
      const found = Object.entries(headers).filter(([header]) => header.startsWith(prefix));
      return found.length === 0
        ? undefined
        : Object.fromEntries(found.map(([header, value]) => [header.slice(prefix.length), value]));
    }
    case 'payload':
      if (body.length === 0) return undefined;
      if (member.isBlobSchema()) return new Uint8Array(body);
      return member.isStringSchema() ? body.toString() : readDocument(service, member, body);
    case 'body':
      return document?.[name];
    default:
      return undefined;
  }
}

function readDocument(service: ServiceShape, shape: NormalizedSchema, body: Buffer): unknown {
  if (body.length === 0) return undefined;
  if (service.protocol !== 'restXml') return readJson(service, shape, body);
  const settings = {
    timestampFormat: { useTrait: true, default: DATE_TIME },
    httpBindings: false,
    xmlNamespace: service.xmlNamespace ?? '',
    serviceNamespace: '',
  } as const;
  return new XmlShapeDeserializer(settings).read(shape, body);
}

/** What of an output or an error goes into the head of the response, and what is left for its body. */
function bind(shape: NormalizedSchema | undefined, value: Value) {
  const headers: Record<string, string> = {};
  const document: Value = {};
  let status: number | undefined;
  for (const [name, member] of members(shape)) {
    if (value[name] === undefined || value[name] === null) continue;
    const location = locationOf(member);
    if (location === 'status') status = Number(value[name]);
    if (location === 'body') document[name] = value[name];
    if (location === 'header') headers[nameIn(member, 'httpHeader').toLowerCase()] = headerText(member, value[name]);
    if (location === 'prefixHeaders')
      for (const [key, text] of Object.entries(value[name]))
        headers[nameIn(member, 'httpPrefixHeaders').toLowerCase() + key] = String(text);
  }
  return { headers, status, document };
}

function headerText(member: NormalizedSchema, value: unknown): string {
  const serializer = new ToStringShapeSerializer(headerSettings);
  serializer.write(member, value);
  return serializer.flush();
}

type Body = Pick<WireResponse, 'body'> & { readonly type?: string };

function writeBody(service: ServiceShape, operation: OperationShape, output: Value, document: Value): Body {
  const shape = operation.output;
  const xml = service.protocol === 'restXml';
  const payload = members(shape).find(([, member]) => locationOf(member) === 'payload');
  if (payload) {
    const [name, member] = payload;
    const value = output[name];
    if (value === undefined || value === null) return { body: '' };
    if (member.isBlobSchema()) return { body: blob(value), type: 'application/octet-stream' };
    if (member.isStringSchema()) return { body: String(value), type: 'text/plain' };
    return xml
      ? xmlBody(service, String(member.getMergedTraits().xmlName ?? member.getName()), member, value)
      : { body: writeJson(service, member, value), type: 'application/json' };
  }
  if (!members(shape).some(([, member]) => locationOf(member) === 'body')) return { body: xml ? '' : '{}' };
  if (!xml) return { body: writeJson(service, shape, document), type: 'application/json' };
  if (operation.name === 'GetBucketLocation') return bucketLocation(service, document);
  return xmlBody(service, String(shape.getMergedTraits().xmlName ?? shape.getName()), shape, document);
}

function xmlBody(service: ServiceShape, name: string, shape: NormalizedSchema, value: unknown): Body {
  const namespace = service.xmlNamespace ? ` xmlns="${escapeXml(service.xmlNamespace)}"` : '';
  return { body: declaration + element(name, shape, value, namespace), type: 'application/xml' };
}

/** The one response without a wrapping element: the trait `s3UnwrappedXmlOutput`, which the schemas leave out. */
function bucketLocation(service: ServiceShape, { LocationConstraint = '' }: Value): Body {
  const text = escapeXml(String(LocationConstraint));
  const body = `${declaration}<LocationConstraint xmlns="${service.xmlNamespace}">${text}</LocationConstraint>`;
  return { body, type: 'application/xml' };
}

function blob(value: unknown): WireResponse['body'] {
  if (value instanceof Readable || value instanceof Uint8Array || typeof value === 'string') return value;
  throw new TypeError('a blob is a Uint8Array, a string or a Readable');
}

const requestIdHeaders = (service: ServiceShape | undefined, requestId: string): Record<string, string> =>
  service?.name === 's3'
    ? { 'x-amz-request-id': requestId, 'x-amz-id-2': requestId }
    : { 'x-amzn-requestid': requestId };

function writeOutput(service: ServiceShape, operation: OperationShape, output: Value, requestId: string): WireResponse {
  const { headers, status, document } = bind(operation.output, output);
  const { body, type } = writeBody(service, operation, output, document);
  return {
    status: status ?? operation.http?.status ?? 200,
    headers: { ...requestIdHeaders(service, requestId), ...(type && { 'content-type': type }), ...headers },
    body,
  };
}

export const restJson1: Protocol = {
  readInput,
  writeOutput,
  writeError(service, error, requestId) {
    const { headers } = bind(error.shape?.schema, error.fields);
    return {
      status: error.status,
      headers: {
        'content-type': 'application/json',
        'x-amzn-requestid': requestId,
        'x-amzn-errortype': error.name,
        ...headers,
      },
      body: errorDocument(service, error),
    };
  },
};

export const restXml: Protocol = {
  readInput,
  writeOutput,
  writeError(service, error, requestId) {
    const { headers } = bind(error.shape?.schema, error.fields);
    return {
      status: error.status,
      headers: { ...requestIdHeaders(service, requestId), 'content-type': 'application/xml', ...headers },
      body: declaration + (service?.name === 's3' ? s3Error(error, requestId) : plainError(error, requestId)),
    };
  },
};

const s3Error = (error: WireError, requestId: string) =>
  `<Error>${describe(error)}<RequestId>${requestId}</RequestId></Error>`;
const plainError = (error: WireError, requestId: string) =>
  `<ErrorResponse><Error><Type>${error.fault === 'client' ? 'Sender' : 'Receiver'}</Type>${describe(error)}</Error>` +
  `<RequestId>${requestId}</RequestId></ErrorResponse>`;
