/** awsQuery and ec2Query: a form in, XML out. */
import { FromStringShapeDeserializer } from '@smithy/core/protocols';
import type { NormalizedSchema } from '@smithy/core/schema';
import type { WireError } from './errors.ts';
import type { WireRequest, WireResponse } from './message.ts';
import type { Protocol, Value } from './protocol.ts';
import { members, type OperationShape, type ServiceShape } from './schema.ts';
import { element, escapeXml } from './xml.ts';

/** `A.member.1.B=x` as a tree; a node's own value (an empty list is `A=`) stands beside its children. */
interface Node {
  value?: string;
  readonly children: Map<string, Node>;
}

function parseForm(parameters: URLSearchParams): Node {
  const root: Node = { children: new Map() };
  for (const [key, value] of parameters) {
    let node = root;
    for (const part of key.split('.')) {
      const child: Node = node.children.get(part) ?? { children: new Map() };
      node.children.set(part, child);
      node = child;
    }
    node.value = value;
  }
  return root;
}

/** A query request's parameters: its body, or its URL (a presigned GetCallerIdentity, as the EKS token is one). */
export const formOf = ({ body, query }: WireRequest): Node =>
  parseForm(body.length > 0 ? new URLSearchParams(body.toString()) : query);

const scalars = new FromStringShapeDeserializer({
  timestampFormat: { useTrait: true, default: 5 },
  httpBindings: false,
});

/** Children with numbers for names, in order: list items and map entries. */
const numbered = (node: Node | undefined): Node[] =>
  [...(node?.children ?? [])]
    .filter(([key]) => /^\d+$/.test(key))
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, child]) => child);

function read(shape: NormalizedSchema, node: Node, ec2: boolean): unknown {
  const traits = shape.getMergedTraits();
  if (shape.isStructSchema()) {
    const value: Value = {};
    for (const [name, member] of shape.structIterator()) {
      const child = node.children.get(keyOf(name, member, ec2));
      if (child) value[name] = read(member, child, ec2);
    }
    return value;
  }
  if (shape.isListSchema()) {
    const item = shape.getValueSchema();
    const wrapper = String(item.getMergedTraits().xmlName ?? 'member');
    const list =
      ec2 || traits.xmlFlattened ? node : (node.children.get(wrapper) ?? node.children.get('member') ?? undefined);
    return numbered(list).map((child) => read(item, child, ec2));
  }
  if (shape.isMapSchema()) {
    const [key, item] = [shape.getKeySchema(), shape.getValueSchema()];
    const keyName = String(key.getMergedTraits().xmlName ?? 'key');
    const valueName = String(item.getMergedTraits().xmlName ?? 'value');
    const entries = numbered(traits.xmlFlattened ? node : node.children.get('entry'));
    return Object.fromEntries(
      entries.map((entry) => {
        const value = entry.children.get(valueName);
        return [entry.children.get(keyName)?.value ?? '', value && read(item, value, ec2)];
      }),
    );
  }
  return scalars.read(shape, node.value ?? '');
}

/** EC2 names request parameters by `ec2QueryName`, else by the capitalized XML name. */
function keyOf(name: string, member: NormalizedSchema, ec2: boolean): string {
  const traits = member.getMergedTraits();
  const key = String(traits.xmlName ?? name);
  if (!ec2) return key;
  return String(traits.ec2QueryName ?? key.charAt(0).toUpperCase() + key.slice(1));
}

function response(status: number, body: string, requestId: string): WireResponse {
  return { status, headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId }, body };
}

function readInput(operation: OperationShape, request: WireRequest, ec2: boolean): Value {
  if (!operation.input.isStructSchema()) return {};
  return read(operation.input, formOf(request), ec2) as Value;
}

const namespaceOf = (service: ServiceShape | undefined) =>
  service?.xmlNamespace ? ` xmlns="${escapeXml(service.xmlNamespace)}"` : '';

export const awsQuery: Protocol = {
  readInput: (_service, operation, request) => readInput(operation, request, false),
  writeOutput(service, operation, output, requestId) {
    const result = operation.output.isStructSchema()
      ? element(`${operation.name}Result`, operation.output, output)
      : '';
    const metadata = `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>`;
    const name = `${operation.name}Response`;
    return response(200, `<${name}${namespaceOf(service)}>${result}${metadata}</${name}>`, requestId);
  },
  writeError(service, error, requestId) {
    const type = error.fault === 'client' ? 'Sender' : 'Receiver';
    const inner = `<Type>${type}</Type>${describe(error)}`;
    const body = `<ErrorResponse${namespaceOf(service)}><Error>${inner}</Error><RequestId>${requestId}</RequestId></ErrorResponse>`;
    return response(error.status, body, requestId);
  },
};

export const ec2Query: Protocol = {
  readInput: (_service, operation, request) => readInput(operation, request, true),
  writeOutput(service, operation, output, requestId) {
    const content = members(operation.output).map(([name, member]) =>
      element(String(member.getMemberTraits().xmlName ?? name), member, output[name]),
    );
    const name = `${operation.name}Response`;
    const body = `<${name}${namespaceOf(service)}><requestId>${requestId}</requestId>${content.join('')}</${name}>`;
    return response(200, body, requestId);
  },
  writeError(_service, error, requestId) {
    const body = `<Response><Errors><Error>${describe(error)}</Error></Errors><RequestID>${requestId}</RequestID></Response>`;
    return response(error.status, body, requestId);
  },
};

/** `Code`, `Message` and the shape's further members, as XML. */
export function describe(error: WireError): string {
  const further = members(error.shape?.schema)
    .filter(([name]) => name.toLowerCase() !== 'message')
    .map(([name, member]) => element(String(member.getMergedTraits().xmlName ?? name), member, error.fields[name]));
  return `<Code>${escapeXml(error.code)}</Code><Message>${escapeXml(error.message)}</Message>${further.join('')}`;
}
