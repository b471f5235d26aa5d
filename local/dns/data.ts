/** The data of records: from the text that Route 53 keeps to what the wire format takes. */
import { isIPv4, isIPv6 } from 'node:net';
import { canonicalName, isDomainName } from './names.ts';

/** Types that are answered here. */
export const recordTypes = ['A', 'AAAA', 'CNAME', 'MX', 'NS', 'SOA', 'SRV', 'TXT'] as const;
export type RecordType = (typeof recordTypes)[number];

export interface Soa {
  readonly mname: string;
  readonly rname: string;
  readonly serial: number;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  readonly minimum: number;
}

/** What dns-packet encodes for a type. */
export type RecordData =
  | string
  | readonly string[]
  | Soa
  | { readonly priority: number; readonly weight: number; readonly port: number; readonly target: string }
  | { readonly preference: number; readonly exchange: string };

/** Undefined where the text is no value of that type. */
export function parseData(type: RecordType, text: string): RecordData | undefined {
  switch (type) {
    case 'A':
      return isIPv4(text) ? text : undefined;
    case 'AAAA':
      return isIPv6(text) ? text : undefined;
    case 'CNAME':
    case 'NS':
      return nameIn(text);
    case 'TXT':
      return characterStrings(text);
    case 'SOA':
      return parseSoa(text);
    case 'MX': {
      const [preference, exchange] = fields(text, 1);
      return exchange === undefined ? undefined : { preference: Number(preference), exchange };
    }
    case 'SRV': {
      const [priority, weight, port, target] = fields(text, 3);
      if (target === undefined) return undefined;
      return { priority: Number(priority), weight: Number(weight), port: Number(port), target };
    }
  }
}

function parseSoa(text: string): Soa | undefined {
  const [mname = '', rname = '', ...numbers] = text.trim().split(/\s+/);
  const [serial, refresh, retry, expire, minimum, ...more] = numbers.map(Number);
  const names = [nameIn(mname), nameIn(rname)];
  if (numbers.length !== 5 || more.length > 0 || numbers.some((part) => !/^\d+$/.test(part))) return undefined;
  if (names[0] === undefined || names[1] === undefined) return undefined;
  return {
    ...{ mname: names[0], rname: names[1], serial: serial ?? 0, refresh: refresh ?? 0 },
    ...{ retry: retry ?? 0, expire: expire ?? 0, minimum: minimum ?? 0 },
  };
}

/** So many numbers of 16 bits and a name; nothing where the text is anything else. */
function fields(text: string, numbers: number): readonly string[] {
  const parts = text.trim().split(/\s+/);
  const name = nameIn(parts[numbers] ?? '');
  const areNumbers = parts.slice(0, numbers).every((part) => /^\d{1,5}$/.test(part) && Number(part) < 65_536);
  return parts.length === numbers + 1 && areNumbers && name !== undefined ? [...parts.slice(0, numbers), name] : [];
}

function nameIn(text: string): string | undefined {
  const name = canonicalName(text);
  return isDomainName(name) ? name.slice(0, -1) : undefined;
}

/** `"one" "two"` in quotes, each of at most 255 characters; a backslash escapes. */
function characterStrings(text: string): readonly string[] | undefined {
  const strings = text.match(/"(?:[^"\\]|\\.)*"/g);
  if (strings === null || text.replace(/"(?:[^"\\]|\\.)*"/g, '').trim() !== '') return undefined;
  const plain = strings.map((string) =>
    string
      .slice(1, -1)
      .replace(/\\([0-7]{3}|.)/g, (_, code: string) =>
        code.length === 3 ? String.fromCharCode(Number.parseInt(code, 8)) : code,
      ),
  );
  return plain.every((string) => Buffer.byteLength(string) <= 255) ? plain : undefined;
}

/** As Route 53 writes it: names with their dot, strings in quotes. */
export function showData(data: RecordData, type: RecordType): string {
  if (typeof data === 'string') return type === 'A' || type === 'AAAA' ? data : `${data}.`;
  if (isStrings(data)) return data.map((text) => `"${text.replace(/["\\]/g, '\\$&')}"`).join(' ');
  if ('exchange' in data) return `${data.preference} ${data.exchange}.`;
  if ('target' in data) return `${data.priority} ${data.weight} ${data.port} ${data.target}.`;
  const { mname, rname, serial, refresh, retry, expire, minimum } = data;
  return `${mname}. ${rname}. ${serial} ${refresh} ${retry} ${expire} ${minimum}`;
}

const isStrings = (data: RecordData): data is readonly string[] => Array.isArray(data);
