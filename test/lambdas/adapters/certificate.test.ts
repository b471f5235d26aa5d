import type { AddressInfo, Server } from 'node:net';
import { createServer as createPlainServer } from 'node:net';
import { createServer, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { certificateOf } from '../../../lambdas/adapters/http/certificate.ts';
import { createCertificateAuthority, validUntil } from '../../../local/certificates.ts';

const before = getCACertificates('default');
const servers: Server[] = [];
let authority: Awaited<ReturnType<typeof createCertificateAuthority>>;

beforeAll(async () => {
  authority = await createCertificateAuthority();
});
afterEach(() => setDefaultCACertificates(before));
afterAll(() => servers.map((server) => server.close()));

async function listening(server: Server): Promise<URL> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}`);
}
const serverOf = async (name: string) => {
  const { certificate, key } = await authority.issue([name], []);
  return listening(createServer({ cert: certificate, key }));
};
const until = validUntil.toISOString();

it('accepts what clients accept: signed by one whom they trust, for the name that they ask for', async () => {
  const url = await serverOf('api.example.com');
  setDefaultCACertificates([authority.certificate]);
  expect(await certificateOf(url, 'api.example.com')).toEqual({ until, refused: null });
});
it('says why clients refuse it, and until when it is valid all the same', async () => {
  const url = await serverOf('other.example.com');
  expect(await certificateOf(url, 'other.example.com')).toEqual({ until, refused: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
  setDefaultCACertificates([authority.certificate]);
  expect(await certificateOf(url, 'api.example.com')).toEqual({ until, refused: 'ERR_TLS_CERT_ALTNAME_INVALID' });
});
it('rejects where nobody answers in TLS', async () => {
  const url = await listening(createPlainServer((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
  await expect(certificateOf(url, 'api.example.com')).rejects.toThrow();
});
