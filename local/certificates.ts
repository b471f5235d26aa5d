/** The embedded cloud's own certificate authority: what the Amazon RDS and Amazon Trust roots are on AWS. */
import 'reflect-metadata'; // @peculiar/x509 resolves its algorithms through tsyringe, which needs it first
import { type BinaryLike, createHash, type webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';
import type { Certificate } from './kernel.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
/** Fixed, so that a certificate is valid on the real, the scaled and the virtual clock alike. */
const validity = { notBefore: new Date('2020-01-01T00:00:00Z'), notAfter: new Date('2049-12-31T00:00:00Z') };
/** Until when every certificate of the cloud is valid. */
export const validUntil = validity.notAfter;

/** A certificate authority that lives as long as its cloud; its key never leaves this process. */
export interface CertificateAuthority {
  /** PEM, for clients that verify. */
  readonly certificate: string;
  /**
   * A server certificate for these DNS names and IP addresses, signed by this authority.
   * Rejects with TypeError when there is no name at all, or an address is none.
   */
  issue(names: readonly string[], addresses: readonly string[]): Promise<Certificate>;
}

/** Makes a new authority with a key of its own. */
export async function createCertificateAuthority(): Promise<CertificateAuthority> {
  const keys = await generateKeys();
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=Embedded cloud root CA',
    ...validity,
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });

  const issue = async (names: readonly string[], addresses: readonly string[]): Promise<Certificate> => {
    const subject = names[0] ?? addresses[0];
    if (subject === undefined) throw new TypeError('A certificate needs a DNS name or an IP address.');
    const wrong = addresses.find((address) => isIP(address) === 0);
    if (wrong !== undefined) throw new TypeError(`Not an IP address: ${wrong}`);
    const own = await generateKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serialOf(await crypto.subtle.exportKey('spki', own.publicKey)),
      // X.520 bounds a common name to 64 characters; clients read the alternative names anyway.
      subject: [{ CN: [subject.slice(0, 64)] }],
      issuer: ca.subject,
      ...validity,
      signingAlgorithm: algorithm,
      publicKey: own.publicKey,
      signingKey: keys.privateKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
        new x509.SubjectAlternativeNameExtension([
          ...names.map((value) => ({ type: 'dns' as const, value })),
          ...addresses.map((value) => ({ type: 'ip' as const, value })),
        ]),
      ],
    });
    const privateKey = await crypto.subtle.exportKey('pkcs8', own.privateKey);
    return { key: x509.PemConverter.encode(privateKey, 'PRIVATE KEY'), certificate: certificate.toString('pem') };
  };

  return { certificate: ca.toString('pem'), issue };
}

const generateKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

/** Positive (leading 4) and unique per key: one authority must not repeat a serial (RFC 5280, 4.1.2.2). */
const serialOf = (publicKey: ArrayBuffer): string =>
  `4${createHash('sha256')
    .update(new Uint8Array(publicKey) as BinaryLike)
    .digest('hex')
    .slice(0, 31)}`;
