/** Passwords are given to PostgreSQL as SCRAM verifiers: a statement that is logged then shows no secret. */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

const iterations = 4096; // PostgreSQL's own default (scram_iterations)

/** The verifier of RFC 5802 in PostgreSQL's notation, as `ALTER ROLE … PASSWORD` takes it. */
export function scramVerifier(password: string, salt: Buffer = randomBytes(16)): string {
  // SASLprep maps compatibility characters as NFKC does; both are the identity for ASCII.
  const salted = pbkdf2Sync(password.normalize('NFKC'), salt, iterations, 32, 'sha256');
  const sign = (text: string) => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(sign('Client Key')).digest('base64');
  const serverKey = sign('Server Key').toString('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}
