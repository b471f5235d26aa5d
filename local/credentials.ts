/** Access keys that a cloud issued. Every other key is the operator's: the cloud keeps no users. */
import { randomBytes } from 'node:crypto';
import type { IssuedCredentials, Principal } from './kernel.ts';

export interface Credentials {
  /** `region`: where it calls from. */
  issue(principal: Principal, region?: string): IssuedCredentials;
  /** Where the holder of an issued key calls from; the operator's is nowhere, and reaches every Region. */
  regionOf(accessKeyId: string): string | undefined;
  /** Who signs with that key: the role session it was issued for, else the operator. */
  principalOf(accessKeyId: string): Principal;
  /** What an issued key must be signed with; undefined for the operator's, whose secret nobody knows. */
  secretOf(accessKeyId: string): IssuedCredentials | undefined;
}

interface Issued {
  readonly principal: Principal;
  readonly credentials: IssuedCredentials;
  readonly region: string | undefined;
}

export function createCredentials(account: string): Credentials {
  const issued = new Map<string, Issued>();
  return {
    issue(principal, region) {
      // AWS marks temporary keys by the prefix ASIA: clients send a session token only with those.
      const credentials = {
        accessKeyId: `ASIA${randomBytes(8).toString('hex').toUpperCase()}`,
        secretAccessKey: randomBytes(30).toString('base64'),
        sessionToken: randomBytes(48).toString('base64'),
      };
      issued.set(credentials.accessKeyId, { principal, credentials, region });
      return credentials;
    },
    principalOf: (accessKeyId) =>
      issued.get(accessKeyId)?.principal ?? { kind: 'operator', arn: `arn:aws:iam::${account}:root`, accessKeyId },
    regionOf: (accessKeyId) => issued.get(accessKeyId)?.region,
    secretOf: (accessKeyId) => issued.get(accessKeyId)?.credentials,
  };
}
