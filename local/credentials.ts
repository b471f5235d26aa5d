/** Access keys that a cloud issued. Every other key is the operator's: the cloud keeps no users. */
import { randomBytes } from 'node:crypto';
import type { IssuedCredentials, Principal } from './kernel.ts';

export interface Credentials {
  issue(principal: Principal): IssuedCredentials;
  /** Who signs with that key: the role session it was issued for, else the operator. */
  principalOf(accessKeyId: string): Principal;
  /** What an issued key must be signed with; undefined for the operator's, whose secret nobody knows. */
  secretOf(accessKeyId: string): IssuedCredentials | undefined;
}

export function createCredentials(account: string): Credentials {
  const issued = new Map<string, { readonly principal: Principal; readonly credentials: IssuedCredentials }>();
  return {
    issue(principal) {
      // AWS marks temporary keys by the prefix ASIA: clients send a session token only with those.
      const credentials = {
        accessKeyId: `ASIA${randomBytes(8).toString('hex').toUpperCase()}`,
        secretAccessKey: randomBytes(30).toString('base64'),
        sessionToken: randomBytes(48).toString('base64'),
      };
      issued.set(credentials.accessKeyId, { principal, credentials });
      return credentials;
    },
    principalOf: (accessKeyId) =>
      issued.get(accessKeyId)?.principal ?? { kind: 'operator', arn: `arn:aws:iam::${account}:root`, accessKeyId },
    secretOf: (accessKeyId) => issued.get(accessKeyId)?.credentials,
  };
}
