/** One thing that is wrong, and the check that must say so. */
import type { Environment, Found } from '../facts.ts';

// biome-ignore lint/suspicious/noExplicitAny: a fault reaches into whatever was found
export const found = (answer: unknown): any => (answer as { found: unknown }).found;

// biome-ignore lint/suspicious/noExplicitAny: a fault reaches into whatever was found
export type Loose = any;

export interface Fault {
  readonly check: string;
  readonly fault: string;
  readonly says: RegExp;
  /** A check that has nothing to look at then. */
  readonly void?: string;
  readonly in?: Environment;
  spoil(facts: Found): void;
}
