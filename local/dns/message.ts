/** Queries and responses in the wire format (RFC 1035; EDNS, RFC 6891). */
import * as packet from 'dns-packet';
import { type RecordType, recordTypes } from './data.ts';
import type { Answer, DnsRecord } from './lookup.ts';
import { canonicalName } from './names.ts';

export type Transport = 'udp' | 'tcp';
/** Answers a question about a canonical name. */
export type LookUp = (name: string, type: RecordType | undefined) => Answer;

const codes = { NOERROR: 0, FORMERR: 1, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;
type Code = keyof typeof codes;

const smallestPayload = 512;
/** Beyond this, fragments get lost: https://www.dnsflagday.net/2020/. */
const largestPayload = 1232;

/** The response to a query; undefined where there is nothing to respond to. Over UDP, what does not fit is truncated. */
export function respond(query: Buffer, via: Transport, lookUp: LookUp): Buffer | undefined {
  if (query.length < 12) return undefined;
  let decoded: packet.DecodedPacket;
  try {
    decoded = packet.decode(query);
  } catch {
    return packet.encode({ type: 'response', id: query.readUInt16BE(0), flags: codes.FORMERR });
  }
  if (decoded.type !== 'query') return undefined;
  const [question] = decoded.questions ?? [];
  const refusal = refusalOf(decoded, question);
  if (refusal !== undefined || question === undefined) return encode(decoded, refusal ?? 'FORMERR', false, {});
  const answer = lookUp(
    canonicalName(question.name),
    recordTypes.find((type) => type === question.type),
  );
  const sections = {
    answers: answer.answers.map((record) => shown(record, question)),
    authorities: answer.authorities.map((record) => shown(record, question)),
    additionals: answer.additionals.map((record) => shown(record, question)),
  };
  const response = encode(decoded, answer.code, answer.isAuthoritative, sections);
  if (via === 'tcp' || response.length <= payloadOf(decoded)) return response;
  return encode(decoded, answer.code, answer.isAuthoritative, {}, packet.TRUNCATED_RESPONSE);
}

function refusalOf(query: packet.DecodedPacket, question: packet.Question | undefined): Code | undefined {
  // The operation code is the second to fifth bit of the flags; 0 asks a question.
  if ((((query.flags ?? 0) >> 11) & 15) !== 0) return 'NOTIMP';
  if (query.questions?.length !== 1 || question === undefined) return 'FORMERR';
  if (question.class !== undefined && question.class !== 'IN') return 'REFUSED';
  return (question.type as string) === 'ANY' ? 'NOTIMP' : undefined;
}

interface Sections {
  readonly answers?: packet.Answer[];
  readonly authorities?: packet.Answer[];
  readonly additionals?: packet.Answer[];
}

function encode(
  query: packet.DecodedPacket,
  code: Code,
  isAuthoritative: boolean,
  sections: Sections,
  flags = 0,
): Buffer {
  const opt = { type: 'OPT', name: '.', udpPayloadSize: largestPayload, flags: 0, options: [] } as const;
  return packet.encode({
    type: 'response',
    ...(query.id !== undefined && { id: query.id }),
    flags:
      flags |
      codes[code] |
      (isAuthoritative ? packet.AUTHORITATIVE_ANSWER : 0) |
      ((query.flags ?? 0) & packet.RECURSION_DESIRED),
    questions: query.questions ?? [],
    ...sections,
    additionals: [
      ...(sections.additionals ?? []),
      ...(ednsOf(query) ? [{ ...opt, options: [] } as unknown as packet.Answer] : []),
    ],
  });
}

const ednsOf = (query: packet.DecodedPacket): { readonly udpPayloadSize?: number } | undefined =>
  query.additionals?.find(({ type }) => type === 'OPT') as { udpPayloadSize?: number } | undefined;

function payloadOf(query: packet.DecodedPacket): number {
  const asked = ednsOf(query)?.udpPayloadSize ?? smallestPayload;
  return Math.min(Math.max(asked, smallestPayload), largestPayload);
}

/** The owner as the question spells it: resolvers may check its case. */
function shown({ name, type, ttl, data }: DnsRecord, question: packet.Question): packet.Answer {
  const owner = name === canonicalName(question.name) ? question.name : name.slice(0, -1);
  return { name: owner, type, ttl, class: 'IN', data } as packet.Answer;
}
