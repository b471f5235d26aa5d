/** AssessRegion: is the primary lost, can the standby serve, what is lost; and the plan that every later step follows. */
import type { Failover, RestorePlan, SeenInstance } from '../database/contracts.ts';
import { newestHeartbeatIn } from '../database/heartbeat.ts';
import type { DatabaseInstance, Databases, Profiles, Secrets, Sessions } from '../database/ports.ts';
import { seenOf } from '../database/source.ts';
import { asMoment, withSession } from '../database/sql.ts';
import type { ActiveDatabase, ApprovalDecision, Incident } from '../incident/contracts.ts';
import { ActiveDatabaseUnknown } from '../incident/errors.ts';
import { candidateIdentifier, incidentTag } from '../incident/identifiers.ts';
import { formatSeconds, secondsBetween } from '../incident/moments.ts';
import type { Clock, ControlStore } from '../incident/ports.ts';
import { checks } from '../readiness/checks/index.ts';
import type { CheckResult, ReadinessRun } from '../readiness/contracts.ts';
import type { Looked } from '../readiness/facts.ts';
import { factsIn } from '../readiness/judge.ts';
import type { ReadinessRecords } from '../readiness/ports.ts';
import type { RegionSettings, Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import type { PrimaryLook } from './contracts.ts';
import { FailoverDenied, ReplicaMissing } from './errors.ts';
import { decideFailover, type FailoverDecision, judgePrimary } from './judge.ts';
import type { PrimaryLooks, Replicas } from './ports.ts';

export interface AssessRegionContext {
  readonly settings: Settings;
  readonly here: RegionSettings;
  readonly clock: Clock;
  readonly control: Pick<ControlStore, 'readActiveDatabase'>;
  readonly databases: Pick<Databases, 'list'>;
  readonly looks: Pick<PrimaryLooks, 'newest'>;
  readonly profiles: Pick<Profiles, 'read'>;
  readonly readiness: Pick<ReadinessRecords, 'atOrBefore'>;
  readonly replicas: Pick<Replicas, 'of'>;
  readonly secrets: Secrets;
  readonly sessions: Sessions;
}

interface AssessRegionInput {
  readonly incident: Incident;
  readonly run: ReadinessRun;
  /** What the live looks at the standby found. */
  readonly looked: readonly Looked[];
  readonly decision?: ApprovalDecision | undefined;
}

/** An hour: the loss is counted from the first look that found the primary down. */
const looksRead = 60;

/**
 * Asked live: what a failover stands or falls with, and this Region alone can answer. Of a primary that is lost nothing
 * can be received any more: whether the replica followed it until then, the last run before says.
 */
const askedLive: Readonly<Record<Failover['style'], readonly string[]>> = {
  graceful: ['replication', 'replica-lag', 'cluster-access'],
  ungraceful: ['replica-lag', 'cluster-access'],
};

/** Throws FailoverDenied naming everything that speaks against it, or ReplicaMissing. */
export async function assessRegion(
  input: AssessRegionInput,
  context: AssessRegionContext,
): Promise<StepResult<RestorePlan>> {
  const { incident } = input;
  const { settings, here, clock } = context;
  const active = await context.control.readActiveDatabase();
  if (active === undefined) throw ActiveDatabaseUnknown('No active database is registered.');
  const promoted = await findPromoted(incident, context);
  const replica = promoted ?? (await context.replicas.of(active));
  if (replica === undefined)
    throw ReplicaMissing(`RDS in ${here.region} has no read replica of ${active.identifier} in ${active.region}.`);
  const held = await heldBy(replica, context);
  const looks = (await context.looks.newest(looksRead)).filter(
    ({ epoch, region }) => epoch === active.epoch && region === active.region,
  );
  const primary = judgePrimary(looks, settings.region.looks);
  const lossSeconds = estimateLoss(held.heartbeat, looks, clock.now().toISOString());
  const style = incident.style ?? 'ungraceful';
  const decision = await decide(input, { style, primary, lossSeconds, isPromoted: promoted !== undefined }, context);
  if (decision.denials.length > 0)
    throw FailoverDenied(
      `The failover is denied: ${decision.denials.map(({ check, reason }) => `${check}: ${reason}`).join('; ')}`,
      { details: { denials: decision.denials, notes: decision.notes, primary } },
    );
  const failover: Failover = {
    style,
    from: active.region,
    to: here.region,
    replica: replica.identifier,
    primary: primary.state,
    reasons: [...primary.reasons],
    waived: [...decision.waived],
    isPromoted: promoted !== undefined,
    notes: [...decision.notes],
  };
  const plan = planOf({ input, active, replica, held, lossSeconds, failover }, context);
  const seen = (await context.profiles.read(active.resourceId))?.seen ?? seenOf(replica);
  const output = { ...plan, seen: asIn(here, seen) };
  return {
    output,
    summary: summaryOf(output, failover),
    facts: { ...output, seen: undefined, primary, looks: looks.length, replicaHolds: held },
  };
}

/** What this incident has promoted before: the replica is none any more, and bears its tag. */
async function findPromoted(
  { id, mode }: Incident,
  { settings, databases }: AssessRegionContext,
): Promise<DatabaseInstance | undefined> {
  if (mode === 'drill') return undefined;
  const found = await databases.list(settings.database.identifier);
  return found.find(({ tags, replicaOf }) => tags[incidentTag] === id && replicaOf === undefined);
}

interface Held {
  /** Newest heartbeat that it has replayed. */
  readonly heartbeat: string | undefined;
  /** Commit time of the last transaction that it has replayed. */
  readonly replayed: string | undefined;
}

async function heldBy({ address, port }: DatabaseInstance, context: AssessRegionContext): Promise<Held> {
  const { settings, secrets, sessions } = context;
  if (address === undefined || port === undefined) return { heartbeat: undefined, replayed: undefined };
  const sentinel = await secrets.credentials(settings.database.sentinelRole.secretName);
  const at = { address, port, database: settings.database.name };
  return withSession(sessions, at, sentinel, async (session) => {
    const heartbeat = await newestHeartbeatIn(session);
    const [row] = await session.query(`select ${asMoment('pg_last_xact_replay_timestamp()')} as replayed`);
    return { heartbeat, replayed: row?.replayed ?? undefined };
  });
}

/**
 * Writes that the replica does not hold: from its newest heartbeat until the primary was first seen without an answer, or
 * until now where it is not known to be down. An estimate: only a ledger counts them. Undefined: it holds no heartbeat.
 */
function estimateLoss(heartbeat: string | undefined, looks: readonly PrimaryLook[], now: string): number | undefined {
  if (heartbeat === undefined) return undefined;
  const isDatabaseDown = ({ signals }: PrimaryLook) =>
    signals.some(({ signal, state }) => signal === 'database' && state === 'down');
  // The last run of them, up to now: what was down and came back lost nothing.
  const lastUp = looks.findLastIndex((look) => !isDatabaseDown(look));
  const firstDown = looks[lastUp + 1]?.at;
  return Math.max(0, secondsBetween(heartbeat, firstDown ?? now));
}

interface Judged {
  readonly style: Failover['style'];
  readonly primary: ReturnType<typeof judgePrimary>;
  readonly lossSeconds: number | undefined;
  readonly isPromoted: boolean;
}

/** A drill leaves production alone: what is not ready is told, and shows in the drill itself. */
async function decide(
  { incident, run, looked }: AssessRegionInput,
  { style, primary, lossSeconds, isPromoted }: Judged,
  { settings, clock, readiness }: AssessRegionContext,
): Promise<FailoverDecision> {
  const now = clock.now().toISOString();
  const facts = factsIn(looked);
  const live = checks
    .filter(({ name }) => askedLive[style].includes(name))
    .map((check): CheckResult => check.look(facts, { settings, run, now }));
  const record = await readiness.atOrBefore(incident.detectedAt);
  const before = record && { at: record.at, checks: record.checks };
  const decided = decideFailover({
    style,
    primary,
    // A replica that this incident promoted follows nobody any more.
    live: isPromoted ? live.filter(({ check }) => !check.startsWith('repl')) : live,
    before,
    lagSeconds: lossSeconds,
    bounds: settings.region,
    detectedAt: incident.detectedAt,
    waiver: incident.waiver,
  });
  if (incident.mode === 'recovery') return decided;
  const told = decided.denials.filter(({ check }) => !check.startsWith('primary'));
  return {
    ...decided,
    denials: [],
    notes: [...told.map(({ check, reason }) => `${check}: ${reason}`), ...decided.notes],
  };
}

interface Found {
  readonly input: AssessRegionInput;
  readonly active: ActiveDatabase;
  readonly replica: DatabaseInstance;
  readonly held: Held;
  readonly lossSeconds: number | undefined;
  readonly failover: Failover;
}

function planOf(
  { input: { incident, decision }, active, replica, held, lossSeconds, failover }: Found,
  { settings, clock }: AssessRegionContext,
): RestorePlan {
  const now = clock.now().toISOString();
  const isDrill = incident.mode === 'drill';
  const { identifier, resourceId, address, port } = active;
  const bySignal = incident.trigger.kind === 'alarm' || incident.trigger.kind === 'event';
  const byItself = bySignal && settings.automatic.region === 'auto' && failover.waived.length === 0;
  return {
    source: { identifier, resourceId, ...(isDrill ? {} : { address, port }) },
    candidate: isDrill ? candidateIdentifier(settings, identifier, incident.id) : replica.identifier,
    restore: { kind: 'replica', replica: replica.identifier },
    restorePoint: held.replayed ?? held.heartbeat ?? now,
    // Unknown: everything since it became production, at worst.
    estimatedLossSeconds: failover.style === 'graceful' ? 0 : (lossSeconds ?? secondsBetween(active.since, now)),
    epoch: active.epoch,
    approval: isDrill || decision?.approved === true || byItself ? 'none' : 'ask',
    failover,
  };
}

/** What is named by Region is compared with, and protected as, what this Region has for it. */
export function asIn(here: RegionSettings, seen: SeenInstance): SeenInstance {
  const own = {
    subnetGroup: here.databaseSubnetGroup,
    parameterGroup: here.databaseParameterGroup,
    securityGroupIds: [...here.databaseSecurityGroupIds],
  };
  return { ...seen, settings: { ...seen.settings, ...own } };
}

function summaryOf({ estimatedLossSeconds, candidate }: RestorePlan, failover: Failover): string {
  const { style, from, to, primary, waived } = failover;
  const loss =
    style === 'graceful' ? 'nothing is lost' : `about ${formatSeconds(estimatedLossSeconds)} of writes are lost`;
  const said = waived.length === 0 ? '' : `; waived: ${waived.join(', ')}`;
  return `${style} failover from ${from}, which is ${primary}, to ${candidate} in ${to}: ${loss}${said}`;
}
