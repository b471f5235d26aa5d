/** One question to a name server: over UDP, again when nothing comes, and over TCP what was truncated. */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import * as packet from 'dns-packet';

export type Response = packet.DecodedPacket & { readonly rcode: string };

export interface Server {
  readonly host: string;
  readonly port: number;
}

/** A stub resolver waits so long for each of so many attempts. */
const [limitMs, attempts] = [1000, 3];

/** Rejects where no server answers. */
export async function ask(server: Server, name: string, type: packet.RecordType): Promise<Response> {
  const id = randomInt(65_536);
  const query: packet.Packet = { type: 'query', id, flags: packet.RECURSION_DESIRED, questions: [{ type, name }] };
  let failure: unknown;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    try {
      const response = await exchange(server, packet.encode(query), id);
      return response.flag_tc ? await exchangeInFull(server, packet.streamEncode(query)) : response;
    } catch (error) {
      failure = error;
    }
  }
  throw new Error(`No name server answers for ${name}: ${(failure as Error).message}`);
}

/** A connected socket takes nothing from anybody else; a late response to another question is passed over. */
function exchange({ host, port }: Server, query: Buffer, id: number): Promise<Response> {
  const socket = createSocket('udp4');
  const answered = new Promise<Response>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${limitMs} ms`)), limitMs);
    socket.once('close', () => clearTimeout(timer));
    socket.on('error', reject).on('message', (bytes) => {
      const response = packet.decode(bytes) as Response;
      if (response.id === id) resolve(response);
    });
    socket.connect(port, host, () => socket.send(query));
  });
  return answered.finally(() => socket.close());
}

function exchangeInFull({ host, port }: Server, query: Buffer): Promise<Response> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const socket = connect({ host, port, timeout: limitMs }, () => socket.write(query));
    socket
      .on('error', reject)
      .on('timeout', () => socket.destroy(new Error(`no answer within ${limitMs} ms`)))
      .on('close', () => reject(new Error('the connection was closed')))
      .on('data', (chunk) => {
        received = Buffer.concat([received, chunk]);
        if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
        resolve(packet.streamDecode(received) as Response);
        socket.destroy();
      });
  });
}
