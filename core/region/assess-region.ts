/** AssessRegion: is the primary lost, can the standby serve, what is lost; and the plan that every later step follows. */
import type { Failover, RestorePlan, SeenInstance } from '../database/contracts.ts';
import { DatabaseNotFound, DatabaseNotReady } from '../database/errors.ts';
import { heartbeatBefore } from '../database/heartbeat.ts';
import type { Databases, Profiles } from '../database/ports.ts';
import { restorePointTag } from '../database/restore-database.ts';
import { seenOf } from '../database/source.ts';
import { withSession } from '../database/sql.ts';
import type { ActiveDatabase, ApprovalDecision, Incident } from '../incident/contracts.ts';
import { ActiveDatabaseUnknown } from '../incident/errors.ts';
import { candidateIdentifier } from '../incident/identifiers.ts';
import { formatSeconds, secondsBetween } from '../incident/moments.ts';
import type { Clock, ControlStore } from '../incident/ports.ts';
import { checks } from '../readiness/checks/index.ts';
import type { CheckResult, ReadinessRun } from '../readiness/contracts.ts';
import type { Looked } from '../readiness/facts.ts';
import { factsIn } from '../readiness/judge.ts';
import type { ReadinessRecords } from '../readiness/ports.ts';
import type { RegionSettings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import type { PrimaryLook } from './contracts.ts';
import { FailoverDenied, ReplicaMissing } from './errors.ts';
import { type FindStandbyContext, findStandby, type StandbyDatabase } from './find-standby.ts';
import { type Denial, decideFailover, type FailoverDecision, judgePrimary } from './judge.ts';
import { successorIdentifier } from './names.ts';
import { findOwnCutOver, type OwnCutOver, resumedPlan } from './own-cut-over.ts';
import type { PrimaryLooks, Tenures } from './ports.ts';
import { refusesFrom, tenureCheck, tenureDenials } from './tenure.ts';

export interface AssessRegionContext extends FindStandbyContext {
  readonly clock: Clock;
  readonly databases: FindStandbyContext['databases'] & Pick<Databases, 'find'>;
  readonly control: Pick<ControlStore, 'readActiveDatabase'>;
  readonly looks: Pick<PrimaryLooks, 'newest'>;
  readonly profiles: Pick<Profiles, 'read'>;
  readonly readiness: Pick<ReadinessRecords, 'atOrBefore'>;
  readonly tenures: Pick<Tenures, 'read'>;
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
  const own = await findOwnCutOver(incident, active, context);
  if (own !== undefined) return resume(incident, own, context);
  const standby = await findStandby(incident, active, context);
  const style = incident.style ?? 'ungraceful';
  if (standby.kind === 'backups' && style === 'graceful')
    throw ReplicaMissing(
      `A switchover without loss needs a read replica in ${here.region}: what ${active.identifier} has there are backups.`,
    );
  const looks = (await context.looks.newest(looksRead)).filter(
    ({ epoch, region }) => epoch === active.epoch && region === active.region,
  );
  const primary = judgePrimary(looks, settings.region.looks);
  const now = clock.now().toISOString();
  const lossSeconds = estimateLoss(standby.held.heartbeat ?? upToOf(standby), looks, now);
  const isPromoted = standby.kind === 'replica' && standby.isPromoted;
  const strict = style === 'ungraceful' ? await strictFacts(incident, active, looks, context) : undefined;
  const tenure = strict && tenureDenials(strict);
  const decision = await decide(input, { style, primary, lossSeconds, isPromoted, tenure }, context);
  if (decision.denials.length > 0)
    throw FailoverDenied(
      `The failover is denied: ${decision.denials.map(({ check, reason }) => `${check}: ${reason}`).join('; ')}`,
      { details: { denials: decision.denials, notes: decision.notes, primary } },
    );
  const failover: Failover = {
    style,
    from: active.region,
    to: here.region,
    ...(standby.kind === 'replica' ? { replica: standby.replica.identifier } : {}),
    primary: primary.state,
    reasons: [...primary.reasons],
    waived: [...decision.waived],
    isPromoted,
    notes: [...decision.notes],
    ...(strict === undefined ? {} : { tenure: waitedFor(strict) }),
  };
  const plan = planOf({ input, active, standby, lossSeconds, failover }, context);
  const seen = (await context.profiles.read(active.resourceId))?.seen ?? seenIn(standby, active);
  const output = { ...plan, seen: asIn(here, seen) };
  return {
    output,
    summary: summaryOf(output, failover),
    facts: { ...output, seen: undefined, primary, looks: looks.length, replicaHolds: standby.held },
  };
}

/** Neither the primary nor the standby is judged: that was done before the epoch was raised, and nothing goes back behind it. */
async function resume(
  incident: Incident,
  own: OwnCutOver,
  context: AssessRegionContext,
): Promise<StepResult<RestorePlan>> {
  const { here, profiles } = context;
  const { active, instance, former } = own;
  const seen = (await profiles.read(former))?.seen ?? (await profiles.read(active.resourceId))?.seen;
  const lossSeconds = await lostBefore(own, context);
  return resumedPlan({ incident, own, seen: asIn(here, seen ?? seenOf(instance)), lossSeconds }, context);
}

/**
 * From the newest heartbeat that it brought along until it was production: at most, for when the primary stopped is not known
 * any more. Without one, from what it was made of: its restore point, or the replica's own beginning.
 */
async function lostBefore(
  { active, instance: { identifier, address, port, createdAt, tags } }: OwnCutOver,
  { settings, secrets, sessions }: AssessRegionContext,
): Promise<number> {
  if (address === undefined || port === undefined) throw DatabaseNotReady(`${identifier} has no endpoint.`);
  const sentinel = await secrets.credentials(settings.database.sentinelRole.secretName);
  const at = { address, port, database: settings.database.name };
  const beat = await withSession(sessions, at, sentinel, (session) => heartbeatBefore(session, active.since));
  const held = beat === undefined ? [tags[restorePointTag], createdAt] : [beat];
  return Math.max(0, ...held.map((moment) => (moment ? secondsBetween(moment, active.since) : 0)));
}

/** Backups hold everything up to the end of their window; what a replica has replayed last says nothing of an idle primary. */
const upToOf = ({ kind, held }: StandbyDatabase) => (kind === 'backups' ? held.upTo : undefined);

/** A profile is recorded in both Regions; without one, nothing says how production was made. */
function seenIn(standby: StandbyDatabase, { identifier }: ActiveDatabase): SeenInstance {
  if (standby.kind === 'replica') return seenOf(standby.replica);
  throw DatabaseNotFound(`No profile of ${identifier} is recorded here, which says how to restore it.`);
}

type StrictFacts = Parameters<typeof tenureDenials>[0];

/** Undefined where nobody waits for the primary to fence itself: by the configuration, and in a drill. */
async function strictFacts(
  { mode, waiver }: Incident,
  active: ActiveDatabase,
  looks: readonly PrimaryLook[],
  { settings, tenures }: AssessRegionContext,
): Promise<StrictFacts | undefined> {
  const { fencing } = settings.region;
  if (mode === 'drill' || fencing.mode !== 'strict') return undefined;
  const isWaived = waiver?.checks.includes(tenureCheck) ?? false;
  return { strict: fencing, tenure: await tenures.read(), active, looks, isWaived };
}

function waitedFor(strict: StrictFacts): Failover['tenure'] {
  const from = strict.isWaived ? undefined : refusesFrom(strict);
  return from === undefined ? {} : { refusesFrom: from };
}

/**
 * Writes that the standby does not hold: from its newest heartbeat until the primary was first seen without an answer, or
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
  readonly tenure: readonly Denial[] | undefined;
}

/** A drill leaves production alone: what is not ready is told, and shows in the drill itself. */
async function decide(
  { incident, run, looked }: AssessRegionInput,
  { style, primary, lossSeconds, isPromoted, tenure }: Judged,
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
    ...(tenure === undefined ? {} : { tenure }),
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
  readonly standby: StandbyDatabase;
  readonly lossSeconds: number | undefined;
  readonly failover: Failover;
}

function planOf(
  { input: { incident, decision }, active, standby, lossSeconds, failover }: Found,
  { settings, clock }: AssessRegionContext,
): RestorePlan {
  const now = clock.now().toISOString();
  const isDrill = incident.mode === 'drill';
  const { identifier, resourceId, address, port } = active;
  const bySignal = incident.trigger.kind === 'alarm' || incident.trigger.kind === 'event';
  const byItself = bySignal && settings.automatic.region === 'auto' && failover.waived.length === 0;
  return {
    source: { identifier, resourceId, ...(isDrill ? {} : { address, port }) },
    candidate: isDrill
      ? candidateIdentifier(settings, identifier, incident.id)
      : standby.kind === 'replica'
        ? standby.replica.identifier
        : successorIdentifier(settings, incident.id, 'restored'),
    restore:
      standby.kind === 'replica'
        ? { kind: 'replica', replica: standby.replica.identifier }
        : { kind: 'time', at: 'latest', backups: standby.arn },
    restorePoint: standby.held.upTo ?? standby.held.heartbeat ?? now,
    ...(standby.kind === 'backups' ? { window: standby.window } : {}),
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
  // A key of another Region is refused; without one RDS takes the default key of this one.
  const { performanceInsightsKey: _, ...settings } = seen.settings;
  return { ...seen, settings: { ...settings, ...own } };
}

function summaryOf({ estimatedLossSeconds, candidate, restorePoint }: RestorePlan, failover: Failover): string {
  const { style, from, to, primary, waived, replica, tenure } = failover;
  const loss =
    style === 'graceful' ? 'nothing is lost' : `about ${formatSeconds(estimatedLossSeconds)} of writes are lost`;
  const said = waived.length === 0 ? '' : `; waived: ${waived.join(', ')}`;
  const restored = replica === undefined ? `, restored from replicated backups as of ${restorePoint},` : '';
  const waits =
    tenure?.refusesFrom === undefined ? '' : `; ${from} refuses writes by itself from ${tenure.refusesFrom} on`;
  return `${style} failover from ${from}, which is ${primary}, to ${candidate}${restored} in ${to}: ${loss}${waits}${said}`;
}
