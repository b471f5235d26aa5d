/** The certificate that a server shows: until when it is valid, and whether clients accept it. */
import { connect } from 'node:tls';

const timeoutMs = 10_000;

export interface Shown {
  /** ISO text. */
  readonly until: string;
  /** Why a client that asks for `name` refuses it: Node's code for it; null: it does not. */
  readonly refused: string | null;
}

/**
 * Asks the server at this URL for the name that clients ask for. Accepts whatever it shows, in order to tell what is wrong
 * with it. Rejects where there is no answer, or none in TLS, within 10 s.
 */
export function certificateOf({ hostname, port }: URL, name: string): Promise<Shown> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: hostname,
      port: Number(port || 443),
      servername: name,
      rejectUnauthorized: false,
      timeout: timeoutMs,
    });
    socket.once('secureConnect', () => {
      const { valid_to: until } = socket.getPeerCertificate();
      const { authorized, authorizationError: error } = socket;
      socket.destroy();
      const refused = authorized ? null : String((error as NodeJS.ErrnoException)?.code ?? error);
      resolve({ until: new Date(until).toISOString(), refused });
    });
    socket.once('timeout', () =>
      socket.destroy(new Error(`${hostname} gave no certificate within ${timeoutMs / 1000} s`)),
    );
    socket.once('error', reject);
  });
}
