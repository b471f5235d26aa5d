import * as packet from 'dns-packet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answer } from '../../../local/dns/lookup.ts';
import { respond } from '../../../local/dns/message.ts';
import { type NameServer, serveNames } from '../../../local/dns/server.ts';
import { askByTcp, askByUdp, codeOf, sendDatagram, textOf } from './client.ts';

const many = Array.from({ length: 40 }, (_, index) => `192.0.2.${index}`);

function answer(name: string): Answer {
  const data = name === 'many.example.' ? many : name === 'one.example.' ? ['192.0.2.1'] : [];
  const answers = data.map((value) => ({ name, type: 'A' as const, ttl: 60, data: value }));
  const code = data.length > 0 ? 'NOERROR' : 'NXDOMAIN';
  return { code, isAuthoritative: true, answers, authorities: [], additionals: [] };
}

let server: NameServer;
beforeAll(async () => {
  server = await serveNames((query, via) => respond(query, via, answer));
});
afterAll(() => server.close());

describe('a name server', () => {
  it('answers over UDP and TCP on one port, in the spelling of the question', async () => {
    const response = await askByUdp(server.port, 'One.Example');
    expect(response).toMatchObject({ id: 7, flag_aa: true, flag_tc: false, flag_rd: true, flag_ra: false });
    expect(response.answers).toMatchObject([{ name: 'One.Example', type: 'A', ttl: 60, data: '192.0.2.1' }]);
    expect(textOf(await askByTcp(server.port, 'one.example'))).toEqual(['192.0.2.1']);
    expect(codeOf(await askByUdp(server.port, 'none.example'))).toBe('NXDOMAIN');
  });

  it('truncates over UDP what does not fit, and gives all of it over TCP', async () => {
    const response = await askByUdp(server.port, 'many.example');
    expect(response).toMatchObject({ flag_tc: true, answers: [] });
    expect(textOf(await askByTcp(server.port, 'many.example'))).toEqual(many);
  });

  it('fills what a client says that it takes', async () => {
    const edns = (udpPayloadSize: number) => ({
      additionals: [{ type: 'OPT', name: '.', udpPayloadSize, flags: 0, options: [] }],
    });
    expect(textOf(await askByUdp(server.port, 'many.example', 'A', edns(4096)))).toEqual(many);
    expect(await askByUdp(server.port, 'many.example', 'A', edns(600))).toMatchObject({ flag_tc: true });
  });

  it('says what is wrong with a query', async () => {
    const twice = [1, 2].map(() => ({ type: 'A' as const, name: 'one.example' }));
    expect(codeOf(await askByUdp(server.port, 'x', 'A', { questions: twice }))).toBe('FORMERR');
    expect(codeOf(await askByUdp(server.port, 'one.example', 'A', { flags: 2 << 11 }))).toBe('NOTIMP');
    expect(codeOf(await askByUdp(server.port, 'one.example', 'ANY' as never))).toBe('NOTIMP');
    const broken = Buffer.concat([packet.encode({ type: 'query', id: 9, questions: twice }).subarray(0, 14)]);
    expect(packet.decode(await sendDatagram(server.port, broken))).toMatchObject({ id: 9, rcode: 'FORMERR' });
  });

  it('answers no response, and nothing that is no message', () => {
    const response = packet.encode({ type: 'response', id: 1, questions: [{ type: 'A', name: 'one.example' }] });
    expect(respond(response, 'udp', answer)).toBeUndefined();
    expect(respond(Buffer.from([1, 2, 3]), 'udp', answer)).toBeUndefined();
  });

  it('takes the port that it is told, and no other', async () => {
    await expect(serveNames(() => undefined, server.port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});
