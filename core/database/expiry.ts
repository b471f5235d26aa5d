/**
 * Strict fencing in the database itself (docs/decisions/0033): the roles of the application carry the end of their tenure
 * as VALID UNTIL, which the guard renews. A server that comes back by itself has no sessions, and past that date it admits
 * none by password, whoever is there to fence it. Sessions that are there go on: the fence of the guard ends them.
 *
 * The date travels with the data, into replicas, backups and copies. So whoever fences a database lifts it, and whoever
 * opens one sets its own or none (fence.ts).
 */
import { regionSettings, type Settings } from '../settings.ts';
import { alterRole, isAlteredByOthers } from './credentials.ts';
import { RoleUnusable } from './errors.ts';
import type { Session } from './ports.ts';
import { messageOf, quoteLiteral, sqlState } from './sql.ts';

/** Microseconds that only a date of ours ends in: one that people gave a password is theirs, and is left alone. */
const mark = '033';
const isOurs = `coalesce(extract(microseconds from rolvaliduntil)::bigint % 1000 = ${Number(mark)}, false)`;

/** The end of a tenure that was renewed at that time: a moment, with the mark. */
export const expiryAfter = (renewedAt: string, tenureSeconds: number): string =>
  new Date(Date.parse(renewedAt) + tenureSeconds * 1000).toISOString().replace('Z', `${mark}Z`);

/**
 * For production that is opened in that Region now, until its guard renews it. Half a tenure: the guard's last renewal may
 * be a look old, and a tenure is two looks at least. Undefined where nobody would renew it: by the configuration, and in
 * the DR Region, which cannot be cut off from itself.
 */
export function expiryIn(settings: Settings, region: string, now: string): string | undefined {
  const { fencing } = settings.region;
  if (fencing.mode !== 'strict' || regionSettings(settings, region).role !== 'primary') return undefined;
  return expiryAfter(now, fencing.tenureSeconds / 2);
}

export const expiryClause = (expiry: string): string => `valid until ${quoteLiteral(expiry)}`;

/** Roles that are fenced keep none: the fence has lifted it. */
export async function liftExpiry(session: Session, roles: readonly string[]): Promise<void> {
  const dated = await session.query(`select rolname from pg_roles where rolname = any($1) and ${isOurs}`, [roles]);
  for (const { rolname } of dated) await alterRole(session, rolname ?? '', "valid until 'infinity'");
}

/**
 * One statement, all or nothing. A role that is fenced gets no date, also where the fence comes in between: past it, the
 * refusal of its password would hide that of its fence. Throws RoleUnusable where a date is somebody else's.
 */
export async function renewExpiry(session: Session, roles: readonly string[], expiry: string): Promise<void> {
  const named = `rolname = any(array[${roles.map(quoteLiteral).join(', ')}])`;
  const until = quoteLiteral(expiry);
  await session
    .query(
      `do $expiry$ declare found text; begin
         select rolname into found from pg_roles where ${named} and isfinite(rolvaliduntil) and not ${isOurs};
         if found is not null then raise exception '% has a VALID UNTIL of its own', found; end if;
         for found in select rolname from pg_roles where ${named} and rolcanlogin loop
           execute format('alter role %I valid until %L', found, ${until});
         end loop;
         if exists (select 1 from pg_roles where ${named} and not rolcanlogin and rolvaliduntil = ${until}) then
           raise exception 'it was fenced meanwhile' using errcode = '${fencedMeanwhile}';
         end if;
       end $expiry$`,
    )
    .catch((cause: unknown) => {
      if (sqlState(cause) === fencedMeanwhile || isAlteredByOthers(cause)) return;
      if (sqlState(cause) !== 'P0001') throw cause;
      throw RoleUnusable(
        `With strict fencing the guard dates the application's roles, and ${messageOf(cause)}: ALTER ROLE … VALID UNTIL 'infinity' gives it up.`,
        { cause },
      );
    });
}

/** serialization_failure: to be tried again, which the next minute does. */
const fencedMeanwhile = '40001';
