/** Asks a name server over real sockets, by dns-packet alone. */
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import * as packet from 'dns-packet';

const queryOf = (name: string, type: packet.RecordType, more: object = {}): Buffer =>
  packet.encode({ type: 'query', id: 7, flags: packet.RECURSION_DESIRED, questions: [{ type, name }], ...more });

/** The response as bytes. Rejects after two seconds. */
export function sendDatagram(port: number, query: Buffer): Promise<Buffer> {
  const socket = createSocket('udp4');
  const answered = new Promise<Buffer>((resolve, reject) => {
    socket.once('message', resolve).once('error', reject);
    AbortSignal.timeout(2000).addEventListener('abort', () => reject(new Error('no response')));
    socket.send(query, port, '127.0.0.1');
  });
  return answered.finally(() => socket.close());
}

export const askByUdp = async (port: number, name: string, type: packet.RecordType = 'A', more: object = {}) =>
  packet.decode(await sendDatagram(port, queryOf(name, type, more)));

/** In two pieces, as TCP may deliver it. */
export function askByTcp(port: number, name: string, type: packet.RecordType = 'A'): Promise<packet.DecodedPacket> {
  const query = queryOf(name, type);
  const message = Buffer.concat([Buffer.from([query.length >> 8, query.length & 255]), query]);
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const socket = connect(port, '127.0.0.1', () => {
      socket.setNoDelay(true);
      socket.write(message.subarray(0, 5), () => socket.write(message.subarray(5)));
    });
    socket.on('error', reject).on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      socket.destroy();
      resolve(packet.decode(received.subarray(2)));
    });
  });
}

export const textOf = ({ answers }: packet.DecodedPacket): string[] =>
  (answers ?? []).map((answer) => String((answer as { data?: unknown }).data));

/** The code of a response, as dns-packet names it. */
export const codeOf = (response: packet.DecodedPacket): string => (response as unknown as { rcode: string }).rcode;
