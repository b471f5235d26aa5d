/**
 * What the sentinel holds against the database. A finding stays until the same check has found its subject sound, because
 * checks take turns: a look that did not reach the damaged index says nothing about it. Pure.
 */
import type { Baseline, DamageFinding, LookProgress, LookRecord } from './contracts.ts';

export type Check = DamageFinding['check'];

export const checkKey = (check: Check, subject: string): string => `${check} ${subject}`;

/** Stands for every subject of a check that looks at all of them at once. */
export const everySubject = '*';

/** What one look found; what is in neither list was not reached. */
export interface Found {
  readonly findings: readonly Pick<DamageFinding, 'check' | 'subject' | 'detail' | 'kind'>[];
  /** Keys of the checks that passed. */
  readonly passed: readonly string[];
}

/**
 * This look's findings with when they were last sound, and those of earlier looks that it did not reach. `accepted`
 * (a person's word) takes off what merely looks like damage; a corrupted page is never accepted.
 */
export function listDamage(
  found: Found,
  last: Pick<LookRecord, 'findings' | 'progress'> | undefined,
  { at, accepted }: { at: string; accepted: boolean },
): DamageFinding[] {
  const known = new Map(last?.findings.map((each) => [checkKey(each.check, each.subject), each]));
  const now = new Map(
    found.findings.map((finding): [string, DamageFinding] => {
      const key = checkKey(finding.check, finding.subject);
      const before = known.get(key);
      const lastSound = before === undefined ? soundBefore(finding, last?.progress) : before.lastSound;
      return [key, { ...finding, ...(lastSound === undefined ? {} : { lastSound }), seenAt: before?.seenAt ?? at }];
    }),
  );
  const passed = new Set(found.passed);
  const carried = [...known].filter(
    ([key, { check }]) =>
      check !== 'connection' && !now.has(key) && !passed.has(key) && !passed.has(checkKey(check, everySubject)),
  );
  const all = [...now.values(), ...carried.map(([, finding]) => finding)];
  return accepted ? all.filter(({ kind }) => kind === 'corrupted') : all;
}

const soundBefore = (
  { check, subject }: Pick<DamageFinding, 'check' | 'subject'>,
  progress: LookProgress | undefined,
) => progress?.passed[checkKey(check, subject)] ?? progress?.passed[checkKey(check, everySubject)];

/** Tables that hold fewer rows than their floor allows. */
export function lostRows(
  rows: Readonly<Record<string, string>>,
  last: Baseline,
  floors: Readonly<Record<string, number>>,
): { readonly subject: string; readonly detail: string }[] {
  return Object.entries(floors).flatMap(([subject, fraction]) => {
    const [was, is] = [last.rows[subject], rows[subject]];
    if (was === undefined || is === undefined || Number(is) >= Number(was) * fraction) return [];
    return [{ subject, detail: `it holds ${is} rows; it held ${was} at ${last.at}` }];
  });
}

/** Definitions that changed although the version did not: a deployment changes both together. */
export function alteredRelations(
  seen: Pick<Baseline, 'schemaVersion' | 'relations'>,
  last: Baseline,
): { readonly subject: string; readonly detail: string }[] {
  const [was, is] = [last.relations, seen.relations];
  // A baseline of an earlier version of this product names no relations.
  if (was === undefined || is === undefined || seen.schemaVersion !== last.schemaVersion) return [];
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])].sort();
  return names.flatMap((subject) => {
    if (was[subject] === is[subject]) return [];
    const what =
      is[subject] === undefined ? 'it is gone' : was[subject] === undefined ? 'it is new' : 'its definition changed';
    return [{ subject, detail: `${what} since ${last.at} without a new version (${last.schemaVersion})` }];
  });
}
