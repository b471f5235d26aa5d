/** What was asked and answered, as CloudTrail writes it: names, lists and times in its form, and never a secret. */
import type { TrailedService } from './services.ts';

/** RDS masks a password, so that a change of it can be seen; Secrets Manager leaves a value out. */
const masked: ReadonlySet<string> = new Set(['MasterUserPassword', 'TdeCredentialPassword']);
const leftOut: ReadonlySet<string> = new Set(['SecretString', 'SecretBinary', 'Plaintext', 'CiphertextBlob']);
const mask = '****';

/** `Dec 19, 2026, 1:04:05 PM`, in UTC: so CloudTrail writes times within parameters and answers. */
const times = new Intl.DateTimeFormat('en-US', { dateStyle: 'medium', timeStyle: 'medium', timeZone: 'UTC' });

/** Null where there is nothing, as for most answers to a deletion. */
export function shapeOf(given: object | undefined, service: TrailedService): Record<string, unknown> | null {
  const entries = membersOf(given ?? {}, service);
  return entries.length === 0 ? null : Object.fromEntries(entries);
}

/** What is within the one structure of an answer, where the service has it so. */
export function answerOf(output: object | undefined, service: TrailedService): Record<string, unknown> | null {
  const values = Object.values(output ?? {}).filter((value) => value !== undefined);
  const [only] = values;
  return shapeOf(service.unwrapsAnswer && values.length === 1 && isStructure(only) ? only : output, service);
}

function membersOf(structure: object, service: TrailedService): [string, unknown][] {
  return Object.entries(structure).flatMap(([name, value]): [string, unknown][] => {
    if (value === undefined || leftOut.has(name)) return [];
    return [[nameOf(name, service), masked.has(name) ? mask : shapeOfValue(value, service)]];
  });
}

function shapeOfValue(value: unknown, service: TrailedService): unknown {
  if (value instanceof Date) return times.format(value).replaceAll('\u202f', ' ');
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) {
    const items = value.map((each) => shapeOfValue(each, service));
    return service.wrapsLists ? { items } : items;
  }
  return isStructure(value) ? Object.fromEntries(membersOf(value, service)) : value;
}

function nameOf(name: string, { names, members }: TrailedService): string {
  const other = members?.[name];
  if (other !== undefined) return other;
  return names === 'as-they-are' ? name : `${name.charAt(0).toLowerCase()}${name.slice(1)}`;
}

const isStructure = (value: unknown): value is object => typeof value === 'object' && value !== null;
