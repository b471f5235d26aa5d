/** The API models of the services that a Task can call: which members an operation has, and which errors it knows. */
import { createRequire } from 'node:module';
import { NormalizedSchema } from '@smithy/core/schema';
import type { $Schema, StaticErrorSchema, StaticOperationSchema } from '@smithy/types';
import type { ServiceName } from '../../kernel.ts';
import { StatesError } from '../../states/errors.ts';
import { isObject, type Json } from '../../states/json.ts';

export interface Model {
  /** By its lower-cased name: Step Functions writes `describeDBInstances`. */
  operation(name: string): StaticOperationSchema | undefined;
  /** The shape's name of an error, by that name or by its code on the wire; undefined where the model has no such error. */
  error(code: string): string | undefined;
}

/** The names of Smithy's schema kinds: an operation starts with 9, an error with -3. */
const operationKind = 9;
const errorKind = -3;

const require = createRequire(import.meta.url);
const models = new Map<ServiceName, Model>();

/** A service's name is the last part of its SDK package's name. Loaded at once: on the virtual clock no time may pass meanwhile. */
export function modelOf(service: ServiceName): Model {
  const model = models.get(service) ?? read(require(`@aws-sdk/client-${service}`));
  models.set(service, model);
  return model;
}

function read(exports: Readonly<Record<string, unknown>>): Model {
  const schemas = Object.values(exports).filter(Array.isArray);
  const operations = new Map<string, StaticOperationSchema>();
  const errors = new Map<string, string>();
  for (const schema of schemas) {
    if (schema[0] === operationKind) operations.set(String(schema[2]).toLowerCase(), schema as StaticOperationSchema);
    if (schema[0] !== errorKind) continue;
    const [, , name, traits] = schema as unknown as StaticErrorSchema;
    errors.set(name, name);
    const wire = isObject(traits) && Array.isArray(traits.awsQueryError) ? traits.awsQueryError[0] : undefined;
    if (typeof wire === 'string') errors.set(wire, name);
  }
  return { operation: (name) => operations.get(name.toLowerCase()), error: (code) => errors.get(code) };
}

/** Members of the arguments that the operation does not have. */
export function unknownMembers([, , , , input]: StaticOperationSchema, given: object): readonly string[] {
  const known = new Set(NormalizedSchema.of(input as $Schema).isStructSchema() ? memberNames(input) : []);
  return Object.keys(given).filter((name) => !known.has(name.toLowerCase()));
}

const memberNames = (schema: unknown): string[] =>
  Object.keys(NormalizedSchema.of(schema as $Schema).getMemberSchemas()).map((name) => name.toLowerCase());

/** A Task's arguments as the operation's input: the model's member names, times as Date, blobs as bytes. */
export const toInput = (operation: StaticOperationSchema, given: Json): object =>
  inward(NormalizedSchema.of(operation[4] as $Schema), given) as object;

function inward(schema: NormalizedSchema, value: Json): unknown {
  if (schema.isListSchema() && Array.isArray(value)) return value.map((item) => inward(schema.getValueSchema(), item));
  if (isObject(value) && schema.isMapSchema())
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, inward(schema.getValueSchema(), item as Json)]),
    );
  if (isObject(value) && schema.isStructSchema()) {
    const members = schema.getMemberSchemas();
    const named = new Map(Object.keys(members).map((name) => [name.toLowerCase(), name]));
    return Object.fromEntries(
      Object.entries(value).map(([given, item]) => {
        const name = named.get(given.toLowerCase());
        const member = name === undefined ? undefined : members[name];
        if (name === undefined || !member)
          throw new StatesError('States.Runtime', `The field '${given}' is not supported by Step Functions`);
        return [name, inward(member, item as Json)];
      }),
    );
  }
  if (typeof value === 'string' && schema.isTimestampSchema()) return new Date(value);
  if (typeof value === 'string' && schema.isBlobSchema()) return Buffer.from(value);
  return value;
}

/** How an integration writes member names and times. */
export interface Spelling {
  name(member: string): string;
  time(value: Date): Json;
}

/** An operation's output as a Task's result. Bytes become text. */
export function toResult(operation: StaticOperationSchema, output: object, spelling: Spelling): Json {
  const outward = (schema: NormalizedSchema, value: unknown): Json => {
    if (value instanceof Date) return spelling.time(value);
    if (value instanceof Uint8Array) return Buffer.from(value).toString();
    if (Array.isArray(value)) return value.map((item) => outward(schema.getValueSchema(), item));
    if (isObject(value) && schema.isMapSchema())
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key, outward(schema.getValueSchema(), item)]),
      );
    if (isObject(value) && schema.isStructSchema()) {
      const members = Object.entries(schema.getMemberSchemas()).filter(([name]) => value[name] !== undefined);
      return Object.fromEntries(members.map(([name, member]) => [spelling.name(name), outward(member, value[name])]));
    }
    return (value ?? null) as Json;
  };
  return outward(NormalizedSchema.of(operation[5] as $Schema), output);
}

/** The AWS SDK for Java's PascalCase, which SDK integrations use: DBInstances is DbInstances. */
export const javaName = (name: string): string =>
  name
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .split(' ')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase())
    .join('');

/** The Java SDK's class for an error shape: DBInstanceAlreadyExistsFault is DbInstanceAlreadyExistsException. */
export const javaError = (shape: string): string => `${javaName(shape.replace(/(Fault|Exception)$/, ''))}Exception`;
