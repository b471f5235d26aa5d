/** A statement as it is put to a modelled database, and what real PostgreSQL said of its kind. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelledServer } from './server.ts';
import type { Rows } from './wire.ts';

export interface Question {
  readonly server: ModelledServer;
  readonly user: string;
  readonly sql: string;
  readonly parameters: readonly (string | null)[];
  /** The session's planner is told to count by an index. */
  readonly byIndex: boolean;
}

/** Undefined: it is another one's to answer. Throws SqlError. */
export type Handler = (question: Question, match: RegExpExecArray) => Rows | undefined;

interface Recorded {
  /** Statement, its white space collapsed, to the rows that PostgreSQL answered. */
  readonly statements: Readonly<Record<string, Rows>>;
  /** Rows of each table, as it was seeded. */
  readonly rows: Readonly<Record<string, number>>;
}

let loaded: Recorded | undefined;

export function recorded(): Recorded {
  loaded ??= JSON.parse(readFileSync(join(import.meta.dirname, 'recorded.json'), 'utf8')) as Recorded;
  return loaded;
}

export const text = (value: string | null | undefined): string => value ?? '';

/** `{a,"b c"}`, as `pg` writes an array of names. */
export function arrayOf(value: string | null | undefined): string[] {
  const inner = text(value).replace(/^\{|\}$/g, '');
  return inner === '' ? [] : inner.split(',').map((each) => each.replace(/^"|"$/g, ''));
}
