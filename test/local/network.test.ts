import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createCertificateAuthority } from '../../local/certificates.ts';
import { loopback } from '../../local/network.ts';

describe('a server of the machine’s network', () => {
  it.each(['http', 'https'])(
    'ends every connection when it closes, by %s also one that has not said a word',
    async (scheme) => {
      const authority = await createCertificateAuthority();
      const certificate = await authority.issue(['localhost'], ['127.0.0.1']);
      const accepted = Promise.withResolvers<void>();
      const server = await loopback.listen(() => undefined, scheme === 'https' ? { certificate } : {});
      const client = connect(server.port, '127.0.0.1', accepted.resolve).on('error', () => undefined);
      const ended = once(client, 'close');
      await accepted.promise;
      await server.close();
      await ended;
      expect(client.destroyed).toBe(true);
    },
  );
});
