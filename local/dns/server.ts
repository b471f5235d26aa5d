/** A name server on 127.0.0.1: UDP, and TCP on the same port for what was truncated. */
import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Transport } from './message.ts';

/** The response to a query; undefined: none. */
export type Respond = (query: Buffer, via: Transport) => Buffer | undefined;

export interface NameServer {
  readonly port: number;
  close(): Promise<void>;
}

/** A client may leave a connection open so long, in milliseconds. */
const idleMs = 10_000;

/** 0: any port that is free for both. Rejects with EADDRINUSE for one that is not. */
export async function serveNames(respond: Respond, port = 0): Promise<NameServer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await open(respond, port);
    } catch (error) {
      // A port that is free for TCP may not be for UDP.
      if (port !== 0 || attempt === 10 || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
}

async function open(respond: Respond, port: number): Promise<NameServer> {
  const connections = new Set<Socket>();
  const server = createServer((socket) => {
    connections.add(socket.on('close', () => connections.delete(socket)));
    talk(socket, respond);
  });
  const used = await listen(server, port);
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of connections) socket.destroy();
    });
  try {
    const datagrams = await receive(respond, used);
    return {
      port: used,
      async close() {
        await Promise.all([close(), new Promise<void>((resolve) => datagrams.close(resolve))]);
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function receive(respond: Respond, port: number): Promise<Datagrams> {
  const socket = createSocket('udp4');
  socket.on('message', (query, { address, port: from }) => {
    const response = respond(query, 'udp');
    // A client that is gone is told by an ICMP message: nobody's concern here.
    if (response !== undefined) socket.send(response, from, address, () => {});
  });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, '127.0.0.1', () => resolve(socket));
  });
}

/** Over TCP, each message follows its length (RFC 1035, 4.2.2). */
function talk(socket: Socket, respond: Respond): void {
  let received = Buffer.alloc(0);
  socket.setTimeout(idleMs, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0);
      const response = respond(received.subarray(2, end), 'tcp');
      received = received.subarray(end);
      if (response === undefined) continue;
      const length = Buffer.alloc(2);
      length.writeUInt16BE(response.length);
      socket.write(Buffer.concat([length, response]));
    }
  });
}
