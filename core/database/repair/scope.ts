/** Whether the named tables can be repaired in production as it is: asked before anybody is, and before anything is restored. */
import type { Incident } from '../../incident/contracts.ts';
import { nearest } from '../../incident/parse-request.ts';
import type { Settings } from '../../settings.ts';
import { ScopeRefused } from '../errors.ts';
import type { Baselines, DatabaseAddress, Secrets, Session, Sessions } from '../ports.ts';
import type { SourceState } from '../source.ts';
import { withSession } from '../sql.ts';
import { readDefinition, settle } from './definition.ts';

interface ScopeContext {
  readonly settings: Settings;
  readonly baselines: Pick<Baselines, 'latest'>;
  readonly secrets: Secrets;
  readonly sessions: Sessions;
}

/** Throws ScopeRefused naming the tables that are unknown or cannot be repaired, and why. */
export async function requireScope(
  { scope, target }: Incident,
  { state, address }: { readonly state: SourceState; readonly address: DatabaseAddress },
  { settings, baselines, secrets, sessions }: ScopeContext,
): Promise<void> {
  if (scope === undefined) return;
  if (state !== 'alive')
    throw ScopeRefused(`Tables are repaired in production as it is, and ${target} does not answer: recover all of it.`);
  const known = Object.keys((await baselines.latest())?.relations ?? {});
  const sentinel = await secrets.credentials(settings.database.sentinelRole.secretName);
  const problems = await withSession(sessions, address, sentinel, async (session) => {
    await settle(session);
    const there = await tablesIn(session);
    const each = [];
    for (const table of scope.tables) each.push(await problemOf(session, table, known, there));
    return each.flatMap((problem) => problem ?? []);
  });
  if (problems.length > 0) throw ScopeRefused(`${problems.join('; ')}.`);
}

/** A table that is gone is known by the sentinel's last sound look. */
async function problemOf(
  session: Session,
  table: string,
  known: readonly string[],
  there: readonly string[],
): Promise<string | undefined> {
  const definition = await readDefinition(session, table);
  if (definition !== undefined)
    return definition.obstacles.length === 0 ? undefined : `${table}: ${definition.obstacles.join(', ')}`;
  if (known.includes(table)) return undefined;
  const near = nearest(table, [...there, ...known]);
  return `${table} is neither in production nor in what the sentinel saw last${near ? `; did you mean ${near}?` : ''}`;
}

async function tablesIn(session: Session): Promise<string[]> {
  const rows = await session.query(
    `select oid::regclass as name from pg_class where relkind = 'r' and relpersistence = 'p'
     and relnamespace::regnamespace::text !~ '^(pg_|information_schema$|stocker_dr$)'`,
  );
  return rows.map(({ name }) => name ?? '');
}
