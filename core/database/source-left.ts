/** What was proven of production's former database when another one took its place, and what people may believe of it. */
import * as z from 'zod';

/**
 * `closed`: proven to refuse the application. `gone`: nobody listened, and RDS had given it up, so nothing could be fenced;
 * RDS may start it again when its storage or its key is back. `unreached`: it could not be asked, in a lost Region.
 */
export const SourceLeft = z.enum(['closed', 'gone', 'unreached']);
export type SourceLeft = z.infer<typeof SourceLeft>;

/** Undefined: it was proven by an earlier attempt, and not again. */
export function leftInWords(identifier: string, left: SourceLeft | undefined): string {
  switch (left) {
    case 'closed':
      return `${identifier} stays closed to the application.`;
    case 'gone':
      return `${identifier} is gone and was not proven closed: do not start it. If it starts, the guard fences it in its next look.`;
    case 'unreached':
      return `${identifier} was not reached and is not proven closed: the guard of its Region fences it when it returns.`;
    case undefined:
      return `What is known of ${identifier} is in the report.`;
  }
}

export function keepInWords(identifier: string, left: SourceLeft | undefined): string {
  const last = 'until the review is held; only then delete it, by name.';
  if (left === 'closed') return `Keep it, closed to the application, ${last}`;
  const why = left === undefined ? 'See what was proven of it.' : `Not proven closed. ${leftInWords(identifier, left)}`;
  return `${why} Keep it, and see that it refuses the application (NOLOGIN), ${last}`;
}
