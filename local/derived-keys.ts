/** Keys that are derived from passwords: slow on purpose, and where both ends are in one process, each is derived once. */
import { type BinaryLike, pbkdf2Sync } from 'node:crypto';

const derived = new Map<string, Buffer>();
const most = 1000;

/** As node:crypto's pbkdf2Sync. */
export function deriveOnce(
  password: BinaryLike,
  salt: BinaryLike,
  iterations: number,
  length: number,
  digest: string,
): Buffer {
  const key = [textOf(password), textOf(salt), iterations, length, digest].join(' ');
  let found = derived.get(key);
  if (found === undefined) {
    found = pbkdf2Sync(password, salt, iterations, length, digest);
    if (derived.size >= most) derived.clear();
    derived.set(key, found);
  }
  return Buffer.from(found);
}

const textOf = (value: BinaryLike): string =>
  (typeof value === 'string'
    ? Buffer.from(value)
    : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  ).toString('base64');
