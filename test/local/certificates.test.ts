import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CertificateAuthority, createCertificateAuthority } from '../../local/certificates.ts';

describe('the certificate authority', () => {
  let authority: CertificateAuthority;
  let port: number;
  let close: () => void;

  beforeAll(async () => {
    authority = await createCertificateAuthority();
    const { key, certificate } = await authority.issue(['db.example.com'], ['127.0.0.1']);
    const server = createServer({ key, cert: certificate }, (socket) => socket.end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
    close = () => server.close();
  });
  afterAll(() => close());

  const handshake = async (options: { servername?: string; ca?: string }) => {
    const socket = connect({ host: '127.0.0.1', port, ...options });
    socket.resume();
    try {
      await once(socket, 'secureConnect');
      return 'verified';
    } catch (error) {
      return (error as NodeJS.ErrnoException).code;
    } finally {
      socket.destroy();
    }
  };

  test('issues a certificate that a client verifies by address', async () => {
    expect(await handshake({ ca: authority.certificate })).toBe('verified');
  });

  test('issues a certificate that a client verifies by name', async () => {
    expect(await handshake({ ca: authority.certificate, servername: 'db.example.com' })).toBe('verified');
  });

  test('is refused by a client that does not know the authority', async () => {
    expect(await handshake({})).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  });

  test('is refused by a client that trusts another authority', async () => {
    const other = await createCertificateAuthority();
    expect(await handshake({ ca: other.certificate })).not.toBe('verified');
  });

  test('is refused for another name', async () => {
    expect(await handshake({ ca: authority.certificate, servername: 'other.example.com' })).toBe(
      'ERR_TLS_CERT_ALTNAME_INVALID',
    );
  });

  test('rejects a certificate for nobody and for something that is no address', async () => {
    await expect(authority.issue([], [])).rejects.toThrow('DNS name or an IP address');
    await expect(authority.issue(['a'], ['localhost'])).rejects.toThrow('Not an IP address: localhost');
  });
});
