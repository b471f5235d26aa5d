/** The checks of what the database holds as a whole: it answers, is recent, complete, and of the right version. */
import type { Baseline, RestorePlan } from '../database/contracts.ts';
import { heartbeatBefore, newestHeartbeatIn } from '../database/heartbeat.ts';
import type { Session } from '../database/ports.ts';
import { countRows, schemaVersion } from '../database/relations.ts';
import { restoreOf } from '../database/restore-database.ts';
import type { Incident } from '../incident/contracts.ts';
import { formatSeconds, isBefore, secondsBetween } from '../incident/moments.ts';
import type { Settings, ValidationQuery } from '../settings.ts';
import type { Item } from './contracts.ts';
import { type Finding, failed, passed, unknown } from './findings.ts';

export async function connects(session: Session): Promise<Finding> {
  const [row] = await session.query(
    `select current_setting('server_version') as version, pg_is_in_recovery() as recovering,
       (select ssl from pg_stat_ssl where pid = pg_backend_pid()) as encrypted`,
  );
  if (row?.recovering !== 'f') return failed('it is still in recovery');
  if (row.encrypted !== 't') return failed('the session is not encrypted');
  return passed(`PostgreSQL ${row.version}, encrypted`);
}

/** The sentinel's version at the restore point; a migration after that look shows in the newest one. */
export async function compareSchemaVersion(
  session: Session,
  { database }: Settings,
  baselines: { before: Baseline | undefined; latest: Baseline | undefined },
): Promise<Finding> {
  const version = await schemaVersion(session, database.schemaVersionSql);
  const { before, latest } = baselines;
  if (before === undefined)
    return unknown(`version ${version}; no baseline at or before the restore point says which it was`);
  if (version === before.schemaVersion || version === latest?.schemaVersion)
    return passed(`version ${version}`, { version });
  return failed(`version ${version}; it was ${before.schemaVersion} at ${before.at}`, { version });
}

export async function compareRows(
  session: Session,
  { subject }: Item,
  floor: number,
  baseline: Baseline | undefined,
): Promise<Finding> {
  const was = baseline?.rows[subject];
  if (baseline === undefined || was === undefined)
    return unknown('no baseline at or before the restore point counted it');
  const rows = await countRows(session, subject);
  const facts = { rows, baselineRows: was, baselineAt: baseline.at };
  if (Number(rows) < Number(was) * floor)
    return failed(`${rows} rows; ${was} at ${baseline.at}, at least ${floor} of them wanted`, facts);
  return passed(`${rows} rows; ${was} at ${baseline.at}`, facts);
}

export interface Freshness {
  readonly finding: Finding;
  /** What would be lost, counted from detection to the newest restored heartbeat. */
  readonly rpoSeconds: number | undefined;
}

export async function measureFreshness(
  session: Session,
  { incident, plan, rpoSeconds }: { incident: Incident; plan: RestorePlan; rpoSeconds: number },
): Promise<Freshness> {
  // Resumed: the copy is production, and has been given heartbeats since. What was lost, those before the restore point say.
  const newest =
    plan.resume === undefined
      ? await newestHeartbeatIn(session)
      : await heartbeatBefore(session, restoreOf(plan).restorePoint);
  return judgeFreshness({ newest, incident, plan, rpoSeconds });
}

/**
 * A restore to the latest point must meet the RPO from detection; in a recovery it is the newest there is, and missing the
 * RPO is told and no reason to stay down. Where an older point was chosen, the copy must reach that point: the loss is
 * then the choice, and is still recorded. Pure.
 */
export function judgeFreshness({
  newest,
  incident,
  plan,
  rpoSeconds,
}: {
  newest: string | undefined;
  incident: Incident;
  plan: RestorePlan;
  rpoSeconds: number;
}): Freshness {
  if (newest === undefined) return { finding: failed('there is no heartbeat at all'), rpoSeconds: undefined };
  const { restore, restorePoint } = restoreOf(plan);
  // A copy that holds every heartbeat of its source is complete up to its restore point: one that was down wrote none.
  const isComplete = plan.heartbeat !== undefined && !isBefore(newest, plan.heartbeat);
  const from = isComplete && isBefore(newest, restorePoint) ? restorePoint : newest;
  const achieved = Math.max(0, secondsBetween(from, incident.detectedAt));
  const facts = { newestHeartbeat: newest, rpoSeconds: achieved };
  // A replica holds the newest that there is.
  const chosen = restore.kind !== 'replica' && (restore.kind !== 'time' || restore.at !== 'latest');
  const lag = chosen ? secondsBetween(newest, restorePoint) : achieved;
  const complete = from === newest ? '' : ', which is the newest of its source';
  const reason = `newest heartbeat ${newest}${complete}; ${formatSeconds(achieved)} before detection`;
  const answer = (finding: Finding): Freshness => ({ finding, rpoSeconds: achieved });
  if (chosen && restore.kind === 'time' && isBefore(restorePoint, newest))
    return answer(failed(`${reason}: later than the restore point ${restorePoint}`, facts));
  if (plan.heartbeat !== undefined && isBefore(newest, plan.heartbeat))
    return answer(failed(`${reason}: the copy ends too early, for the source wrote one at ${plan.heartbeat}`, facts));
  if (lag <= rpoSeconds) return answer(passed(reason, facts));
  if (!chosen && incident.mode === 'recovery')
    return answer(passed(`${reason}: over the RPO, and the newest that can be restored`, facts));
  const since = chosen ? 'the restore point' : 'detection';
  return answer(failed(`${reason}: ${formatSeconds(lag)} before ${since}, over the RPO`, facts));
}

/** The settings write booleans and numbers as such; PostgreSQL answers in text. */
export async function askQuery(session: Session, query: ValidationQuery): Promise<Finding> {
  await session.query('set default_transaction_read_only = on');
  const rows = await session.query(query.sql);
  const values = rows.flatMap((row) => Object.values(row));
  const [value] = values;
  if (rows.length !== 1 || values.length !== 1) return failed(`it yields ${rows.length} rows, not one value`);
  if (value != null && equals(value, query.expect)) return passed(`${query.kind}: ${value}`);
  return failed(`${query.kind}: ${value ?? 'null'}, expected ${query.expect}`);
}

function equals(value: string, expected: ValidationQuery['expect']): boolean {
  if (typeof expected === 'boolean') return value === (expected ? 't' : 'f');
  if (typeof expected === 'number') return Number(value) === expected;
  return value === expected;
}
