/** awsJson1_0 and awsJson1_1, and the JSON documents of restJson1. */
import { JsonCodec2 } from '@smithy/core/protocols';
import type { NormalizedSchema } from '@smithy/core/schema';
import type { WireError } from './errors.ts';
import type { WireResponse } from './message.ts';
import type { Protocol, Value } from './protocol.ts';
import { members, type ServiceShape } from './schema.ts';

/** For a service that is asked in JSON although its client speaks another protocol. */
const plain = new JsonCodec2({ timestampFormat: { useTrait: true, default: 7 }, jsonName: false });

/** A JSON document as the shape's value. */
export async function readJson(service: ServiceShape, shape: NormalizedSchema, body: Uint8Array): Promise<unknown> {
  return (service.codec ?? plain).createDeserializer().read(shape, body);
}

/** The shape's value as a JSON document. */
export function writeJson(service: ServiceShape | undefined, shape: NormalizedSchema, value: unknown): Buffer {
  const serializer = (service?.codec ?? plain).createSerializer();
  serializer.write(shape, value);
  const { buffer, byteOffset, byteLength } = serializer.flush() as Uint8Array<ArrayBuffer>;
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** The body of an error: `__type`, the message in both spellings that clients look for, the shape's further members. */
export function errorDocument(service: ServiceShape | undefined, error: WireError): string {
  const modelled = error.shape && members(error.shape.schema).length > 0;
  const fields = modelled ? JSON.parse(writeJson(service, error.shape.schema, error.fields).toString()) : {};
  return JSON.stringify({ ...fields, __type: error.name, message: error.message, Message: error.message });
}

function awsJson(version: '1.0' | '1.1'): Protocol {
  const headers = (requestId: string) => ({
    'content-type': `application/x-amz-json-${version}`,
    'x-amzn-requestid': requestId,
  });
  return {
    async readInput(service, operation, request) {
      if (!operation.input.isStructSchema() || request.body.length === 0) return {};
      return ((await readJson(service, operation.input, request.body)) ?? {}) as Value;
    },
    writeOutput: (service, operation, output, requestId) => ({
      status: 200,
      headers: headers(requestId),
      body: operation.output.isStructSchema() ? writeJson(service, operation.output, output) : '{}',
    }),
    writeError: (service, error, requestId): WireResponse => ({
      status: error.status,
      headers: { ...headers(requestId), ...queryError(error) },
      body: errorDocument(service, error),
    }),
  };
}

/** Services that once spoke awsQuery (SQS, CloudWatch) keep their old codes for clients that matched on them. */
export const queryError = (error: WireError): Record<string, string> =>
  error.code === error.name
    ? {}
    : { 'x-amzn-query-error': `${error.code};${error.fault === 'client' ? 'Sender' : 'Receiver'}` };

export const awsJson1_0 = awsJson('1.0');
export const awsJson1_1 = awsJson('1.1');
