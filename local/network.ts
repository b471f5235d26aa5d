/** HTTP as the cloud serves and sends it: over sockets of 127.0.0.1, or (virtual/network.ts) inside one process. */
import { createServer, type IncomingMessage, type RequestListener, request as send } from 'node:http';
import { createServer as createSecureServer, request as sendSecurely } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { type NameServer, type Respond, serveNames } from './dns/server.ts';
import type { Certificate } from './kernel.ts';

export interface Network {
  /** Serves on 127.0.0.1; over TLS where a certificate is given. Without a port, on any that is free. */
  listen(listener: RequestListener, options?: { port?: number; certificate?: Certificate }): Promise<Listening>;
  /** One request and its whole answer; an https URL's certificate is not verified. Rejects where nothing listens. */
  request(url: URL, options: HttpQuestion): Promise<HttpAnswer>;
  /** Resolves when a connection to the port of that address of this machine stands. Rejects where nothing listens. */
  reach(address: string, port: number, signal: AbortSignal): Promise<void>;
  /** Answers names on a port of 127.0.0.1; without a port, on any that is free. */
  serveNames(respond: Respond, port?: number): Promise<NameServer>;
  /** A port whose connections each go to the port that `choose` names then; to none, they are refused. Without a port of its own, any that is free. */
  forward(choose: () => number | undefined, port?: number): Promise<Listening>;
  /** A port of 127.0.0.1 that nothing uses now. */
  freePort(): Promise<number>;
}

export interface Listening {
  /** `http://127.0.0.1:<port>` or `https://…` */
  readonly endpoint: string;
  readonly port: number;
  close(): Promise<void>;
}

export interface HttpQuestion {
  readonly headers?: Readonly<Record<string, string>>;
  /** The name that TLS asks for (SNI); without, none. */
  readonly serverName?: string | undefined;
  /** Gives up when aborted. */
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/** Real sockets. */
export const loopback: Network = {
  async listen(listener, { port = 0, certificate } = {}) {
    const server = certificate
      ? createSecureServer({ key: certificate.key, cert: certificate.certificate }, listener)
      : createServer(listener);
    // One whose handshake has not ended is not among those that closeAllConnections ends.
    const sockets = new Set<Socket>();
    server.on('connection', (socket: Socket) => sockets.add(socket.on('close', () => sockets.delete(socket))));
    const used = await bind(server, port);
    return {
      endpoint: `${certificate ? 'https' : 'http'}://127.0.0.1:${used}`,
      port: used,
      close: () =>
        new Promise((resolve) => {
          server.close(() => resolve());
          for (const socket of sockets) socket.destroy();
        }),
    };
  },
  request(url, { headers = {}, serverName = '', signal }) {
    return new Promise((resolve, reject) => {
      const options = { host: url.hostname, port: url.port, path: url.pathname + url.search, headers, signal };
      const receive = (response: IncomingMessage) => {
        buffer(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
      };
      const request =
        url.protocol === 'https:'
          ? sendSecurely({ ...options, servername: serverName, rejectUnauthorized: false }, receive)
          : send(options, receive);
      request.on('error', reject).end();
    });
  },
  reach(host, port, signal) {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, signal }, () => {
        socket.destroy();
        resolve();
      }).on('error', reject);
    });
  },
  serveNames,
  async forward(choose, own = 0) {
    const sockets = new Set<Socket>();
    const server = createTcpServer((client) => {
      const port = choose();
      if (port === undefined) client.destroy();
      else join(client, connect(port, '127.0.0.1'), sockets);
    });
    const port = await bind(server, own);
    return {
      endpoint: `http://127.0.0.1:${port}`,
      port,
      async close() {
        server.close();
        for (const socket of sockets) socket.destroy();
      },
    };
  },
  async freePort() {
    const server = createTcpServer();
    const port = await bind(server, 0);
    await new Promise((resolve) => server.close(resolve));
    return port;
  },
};

function bind(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

/** Whatever one side sends the other receives, until either ends. */
function join(client: Socket, upstream: Socket, sockets: Set<Socket>): void {
  for (const [socket, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    sockets.add(socket);
    socket
      .on('error', () => other.destroy())
      .on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    socket.pipe(other);
  }
}
