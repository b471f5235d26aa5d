/** Smithy RPC v2 CBOR: `/service/<name>/operation/<operation>`, which CloudWatch speaks with newer clients. */
import { CborCodec } from '@smithy/core/cbor';
import type { NormalizedSchema } from '@smithy/core/schema';
import { queryError } from './json.ts';
import type { Protocol, Value } from './protocol.ts';
import { members } from './schema.ts';

const codec = new CborCodec();
/** The schema sentinel for a value without a model. */
const DOCUMENT = 15;

function write(shape: NormalizedSchema | typeof DOCUMENT, value: unknown): Uint8Array {
  const serializer = codec.createSerializer();
  serializer.write(shape, value);
  return serializer.flush();
}
const headers = (requestId: string) => ({
  'content-type': 'application/cbor',
  'smithy-protocol': 'rpc-v2-cbor',
  'x-amzn-requestid': requestId,
});

export const rpcV2Cbor: Protocol = {
  async readInput(_service, operation, request) {
    if (!operation.input.isStructSchema() || request.body.length === 0) return {};
    return ((await codec.createDeserializer().read(operation.input, request.body)) ?? {}) as Value;
  },
  writeOutput: (_service, operation, output, requestId) => ({
    status: 200,
    headers: headers(requestId),
    body: operation.output.isStructSchema() ? write(operation.output, output) : write(DOCUMENT, {}),
  }),
  writeError(_service, error, requestId) {
    const known = new Set(members(error.shape?.schema).map(([name]) => name));
    const fields = Object.fromEntries(Object.entries(error.fields).filter(([name]) => known.has(name)));
    const body = write(DOCUMENT, { ...fields, __type: error.name, message: error.message });
    return { status: error.status, headers: { ...headers(requestId), ...queryError(error) }, body };
  },
};
