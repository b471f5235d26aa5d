/**
 * The sentinel: every five minutes it looks at production, bounded in time, and says what it found. What it records
 * while nothing is wrong bounds the damage later, and is what validation compares a restored copy with.
 */
import { type ActiveDatabase, recordVersion } from '../incident/contracts.ts';
import type { Clock, ControlStore } from '../incident/ports.ts';
import type { Settings } from '../settings.ts';
import { parameterFacts } from './check-parity.ts';
import type { Baseline, LookProgress, LookRecord } from './contracts.ts';
import { alteredRelations, everySubject, listDamage, lostRows } from './damage-list.ts';
import { DatabaseNotFound } from './errors.ts';
import { restHere } from './heartbeat.ts';
import { factsIn, postgresFactsSql } from './parity.ts';
import type { Baselines, Databases, Looks, Metrics, Profiles, Secrets, Session, Sessions } from './ports.ts';
import { relationHashes, schemaHashOf, schemaVersion } from './relations.ts';
import {
  ask,
  askConsistency,
  checkIndexes,
  countAll,
  extendContent,
  haveEnded,
  highestKeys,
  type Looking,
  pass,
  rehashContent,
} from './sentinel-checks.ts';
import { endpointOfActive, seenOf } from './source.ts';
import { isDamage, messageOf, stepTimeouts } from './sql.ts';

export interface SentinelContext {
  readonly settings: Settings;
  /** The Region that this function runs in. */
  readonly region: string;
  readonly clock: Clock;
  readonly control: Pick<ControlStore, 'readActiveDatabase'>;
  readonly databases: Pick<Databases, 'find' | 'parameters'>;
  readonly baselines: Pick<Baselines, 'latest' | 'record'>;
  readonly looks: Looks;
  readonly profiles: Pick<Profiles, 'record'>;
  readonly secrets: Secrets;
  readonly sessions: Sessions;
  readonly metrics: Metrics;
  /** The whole look ends within this; what was not reached is unknown, and missing in the baseline. */
  readonly lookSeconds: number;
}

export interface Look {
  /** `not-here`: the active database is in the other Region. */
  readonly verdict: 'sound' | 'damaged' | 'refused' | 'not-here';
  readonly damage: readonly string[];
  /** What gave no answer in time. */
  readonly unknown: readonly string[];
}

/**
 * `accept` (a person's reason) takes what is seen as the new baseline although it looks like damage: after a deliberate
 * mass deletion. Page damage (class XX) is never accepted.
 */
export async function lookForDamage(
  { accept }: { accept?: string | undefined },
  context: SentinelContext,
): Promise<Look> {
  const { region, clock, control, looks, metrics } = context;
  const active = await control.readActiveDatabase();
  if (active === undefined) throw DatabaseNotFound('No active database is registered: invoke register-database first.');
  if (active.region !== region) {
    await restHere(metrics);
    return { verdict: 'not-here', damage: [], unknown: [] };
  }
  const [baseline, newest] = await Promise.all([context.baselines.latest(active.resourceId), looks.latest()]);
  const before: Before = {
    baseline,
    look: newest?.resourceId === active.resourceId ? newest : undefined,
    accepted: accept !== undefined,
  };
  const begunAt = clock.now().toISOString();
  const seen = await look(active, before, begunAt, context);
  const at = clock.now().toISOString();
  const findings = listDamage({ findings: seen.findings, passed: Object.keys(seen.passed) }, before.look, {
    at,
    accepted: before.accepted,
  });
  const damage = findings.filter(({ check }) => check !== 'connection');
  const verdict = damage.length > 0 ? 'damaged' : seen.lost ? 'refused' : 'sound';
  // A damaged look would become the measure of the next one: only what is sound is remembered.
  if (verdict === 'sound' && seen.baseline !== undefined) {
    await context.baselines.record({ ...seen.baseline, at, resourceId: active.resourceId });
    if (seen.facts !== undefined)
      await recordProfile(active, begunAt, seen.facts, context).catch((error: unknown) =>
        seen.unknown.push(`profile: ${messageOf(error)}`),
      );
  }
  const { unknown, progress } = seen;
  const { resourceId } = active;
  await looks.record({ version: recordVersion, begunAt, at, resourceId, verdict, findings, unknown, progress });
  await put(metrics, { refused: seen.lost, damaged: damage.length > 0 });
  return { verdict, damage: findings.map(({ subject, detail }) => `${subject}: ${detail}`), unknown };
}

/** What is known from earlier looks at this very instance. */
interface Before {
  readonly baseline: Baseline | undefined;
  readonly look: LookRecord | undefined;
  readonly accepted: boolean;
}

const put = (metrics: Metrics, found: { refused: boolean; damaged: boolean }) =>
  metrics.put([
    { name: 'SentinelLooked', value: 1, unit: 'Count' },
    { name: 'ConnectionRefused', value: found.refused ? 1 : 0, unit: 'Count' },
    { name: 'DamageFound', value: found.damaged ? 1 : 0, unit: 'Count' },
  ]);

interface Seen extends Pick<Looking, 'findings' | 'passed' | 'unknown' | 'lost'> {
  readonly baseline: Omit<Baseline, 'at'> | undefined;
  readonly progress: LookProgress;
  /** What PostgreSQL says about itself. */
  readonly facts: Readonly<Record<string, string>> | undefined;
}

async function look(active: ActiveDatabase, before: Before, begunAt: string, context: SentinelContext): Promise<Seen> {
  const { settings, clock, secrets, sessions, lookSeconds } = context;
  const endsAt = clock.now().getTime() + lookSeconds * 1000;
  const credentials = await secrets.credentials(settings.database.sentinelRole.secretName);
  const options = { ...stepTimeouts, statementTimeoutMs: lookSeconds * 1000 };
  const leftMs = () => endsAt - clock.now().getTime();
  const results = { findings: [], passed: {}, unknown: [], lost: false };
  const progress = before.look?.progress ?? { passed: {}, rehash: {} };
  let session: Session;
  try {
    session = await sessions.open(endpointOfActive(active, settings), credentials, options);
  } catch (cause) {
    const corrupted = isDamage(cause);
    const finding = {
      check: corrupted ? ('session' as const) : ('connection' as const),
      subject: 'database',
      detail: messageOf(cause),
      kind: corrupted ? ('corrupted' as const) : ('suspicious' as const),
    };
    return { ...results, findings: [finding], lost: true, baseline: undefined, progress, facts: undefined };
  }
  // What a person accepts begins anew: rows that were deleted on purpose must not be missed in the next look.
  const last = before.accepted && before.baseline ? { ...before.baseline, appendOnly: {} } : before.baseline;
  const looking: Looking = { ...results, session, settings, begunAt, last, leftMs, limitSeconds: 0 };
  pass(looking, 'session', 'database');
  try {
    return await lookAround(looking, before.accepted ? { ...progress, rehash: {} } : progress, before, lookSeconds);
  } finally {
    await session.close();
  }
}

/** Shares of a look's time that are left to what comes after. */
const reserves = { content: 0.6, again: 0.35, indexes: 0.1 };

async function lookAround(
  looking: Looking,
  progress: LookProgress,
  before: Before,
  lookSeconds: number,
): Promise<Seen> {
  const { session, settings, last } = looking;
  const { appendOnly, rowFloors } = settings.validation;
  const leave = (share: number) => share * lookSeconds * 1000;
  const version = await ask(looking, 'schema', 'version', () =>
    schemaVersion(session, settings.database.schemaVersionSql),
  );
  const relations = await ask(looking, 'schema', 'definitions', () => relationHashes(session));
  const bound = await ask(looking, 'content', 'highest keys', () => highestKeys(session, appendOnly));
  const rows = await countAll(looking);
  judgeRows(looking, rows, rowFloors);
  if (version !== undefined && relations !== undefined) judgeSchema(looking, version, relations);
  await askConsistency(looking);
  const ended = bound && (await ask(looking, 'content', 'running transactions', () => haveEnded(session, bound.begun)));
  const content = ended ? await extendContent(looking, bound, leave(reserves.content)) : (last?.appendOnly ?? {});
  const rehash = await rehashContent(looking, progress, leave(reserves.again));
  const damagedIndexes = before.look?.findings.filter(({ check }) => check === 'index').map(({ subject }) => subject);
  const index = await checkIndexes(looking, progress, damagedIndexes ?? [], leave(reserves.indexes));
  const facts = await ask(looking, 'session', 'facts', async () => factsIn(await session.query(postgresFactsSql)));
  return {
    ...looking,
    facts,
    progress: { passed: { ...progress.passed, ...looking.passed }, ...(index === undefined ? {} : { index }), rehash },
    baseline:
      version === undefined || relations === undefined
        ? undefined
        : {
            version: recordVersion,
            schemaVersion: version,
            schemaHash: schemaHashOf(relations),
            relations: { ...relations },
            rows,
            appendOnly: content,
          },
  };
}

function judgeRows(looking: Looking, rows: Readonly<Record<string, string>>, floors: Readonly<Record<string, number>>) {
  const lost = looking.last === undefined ? [] : lostRows(rows, looking.last, floors);
  for (const each of lost) looking.findings.push({ check: 'rows', kind: 'suspicious', ...each });
  for (const table of Object.keys(rows))
    if (!lost.some(({ subject }) => subject === table)) pass(looking, 'rows', table);
}

function judgeSchema(looking: Looking, version: string, relations: Readonly<Record<string, string>>): void {
  const seen = { schemaVersion: version, relations: { ...relations } };
  const altered = looking.last === undefined ? [] : alteredRelations(seen, looking.last);
  for (const each of altered) looking.findings.push({ check: 'schema', kind: 'suspicious', ...each });
  // Every relation that is not among them was looked at and is sound.
  pass(looking, 'schema', everySubject);
}

/** Without it, parity compares a restored copy with less. */
async function recordProfile(
  { identifier, resourceId }: ActiveDatabase,
  at: string,
  facts: Readonly<Record<string, string>>,
  { databases, profiles }: SentinelContext,
): Promise<void> {
  const instance = await databases.find(identifier);
  if (instance?.resourceId !== resourceId) return;
  const parameters = await parameterFacts(instance, databases);
  const seen = seenOf(instance);
  await profiles.record({
    version: recordVersion,
    at,
    identifier,
    resourceId,
    seen,
    facts: { ...parameters, ...facts },
  });
}
