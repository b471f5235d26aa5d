/** Chance of this whole process from a seed: what services draw for their identifiers and waits is drawn again in a replay. */
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { bareCrypto } from '../../local/virtual/globals.ts';

// The module's own object: a namespace cannot be written to.
const crypto = createRequire(import.meta.url)('node:crypto') as Record<string, unknown>;

/** Until `work` has settled, Math.random and node:crypto's sources of chance are `random`. One at a time in a process. */
export async function withChance<T>(random: () => number, work: () => Promise<T>): Promise<T> {
  const { randomBytes, randomFillSync, randomInt, randomUUID } = bareCrypto(random);
  const drawn = { randomBytes, randomFillSync, randomInt, randomUUID };
  const real = Object.fromEntries(Object.keys(drawn).map((name) => [name, crypto[name]]));
  const realRandom = Math.random;
  const set = (functions: Readonly<Record<string, unknown>>, number: () => number) => {
    Object.assign(crypto, functions);
    syncBuiltinESMExports();
    Math.random = number;
  };
  set(drawn, random);
  try {
    return await work();
  } finally {
    set(real, realRandom);
  }
}
