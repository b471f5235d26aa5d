/** AssessDatabase: looks at what is there and makes the plan that every later step follows. */
import type { ActiveDatabase, ApprovalDecision, Incident, RestoreTo } from '../incident/contracts.ts';
import { incidentTag } from '../incident/identifiers.ts';
import { formatSeconds, secondsBetween } from '../incident/moments.ts';
import type { Clock, ControlStore } from '../incident/ports.ts';
import type { Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import type { DatabaseProfile, RestorePlan } from './contracts.ts';
import type { Dumps } from './dump/ports.ts';
import { DatabaseNotFound, RestorePointUnavailable, RestorePointUnknown } from './errors.ts';
import { otherPoints } from './other-points.ts';
import { planRestore } from './plan.ts';
import { damageIn, planRecovery } from './plan-recovery.ts';
import type { Baselines, DatabaseInstance, Databases, Looks, Profiles, Secrets, Sessions } from './ports.ts';
import { requireScope } from './repair/scope.ts';
import { lossTag, restoredFromTag, restorePointTag } from './restore-database.ts';
import {
  type Answer,
  endpointOfActive,
  heartbeatDue,
  judgeSource,
  probeSource,
  type SourceState,
  seenOf,
} from './source.ts';

export interface AssessContext {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly control: Pick<ControlStore, 'readActiveDatabase'>;
  readonly baselines: Pick<Baselines, 'atOrBefore' | 'latest'>;
  readonly databases: Pick<Databases, 'find' | 'restoreWindow' | 'findSnapshot' | 'snapshotsOf'>;
  readonly dumps: Pick<Dumps, 'find'>;
  readonly looks: Pick<Looks, 'latest'>;
  readonly profiles: Pick<Profiles, 'read'>;
  readonly secrets: Secrets;
  readonly sessions: Sessions;
}

interface AssessInput {
  readonly incident: Incident;
  /** What a person said to the first assessment; the second one plans anew from what is true by then. */
  readonly decision?: ApprovalDecision | undefined;
}

export async function assessDatabase(
  { incident, decision }: AssessInput,
  context: AssessContext,
): Promise<StepResult<RestorePlan>> {
  const active = await context.control.readActiveDatabase();
  if (incident.mode === 'drill') return assessDrill(incident, requireActive(active, incident), context);
  if (active !== undefined && active.identifier !== incident.target) {
    const resumed = await resume(incident, active, context);
    if (resumed !== undefined) return resumed;
  }
  return assessRecovery(incident, requireActive(active, incident), decision, context);
}

function requireActive(active: ActiveDatabase | undefined, incident: Incident): ActiveDatabase {
  if (active === undefined || active.identifier !== incident.target)
    throw DatabaseNotFound(
      `The incident is about ${incident.target}; the active database is ${active?.identifier ?? 'not registered'}.`,
    );
  if (active.region !== incident.region)
    throw DatabaseNotFound(`The active database is in ${active.region}; this recovery runs in ${incident.region}.`);
  return active;
}

const requireSame = (source: DatabaseInstance, active: ActiveDatabase): void => {
  if (source.resourceId !== active.resourceId)
    throw DatabaseNotFound(
      `${active.identifier} is ${source.resourceId} in RDS and ${active.resourceId} on record: another instance took the name.`,
    );
};

async function assessDrill(
  incident: Incident,
  active: ActiveDatabase,
  context: AssessContext,
): Promise<StepResult<RestorePlan>> {
  const { settings, clock, databases } = context;
  const source = await databases.find(active.identifier);
  if (source === undefined) throw DatabaseNotFound(`RDS in ${incident.region} has no instance ${active.identifier}.`);
  requireSame(source, active);
  const { restoreTo } = incident;
  const [window, asked, answer] = await Promise.all([
    databases.restoreWindow(source),
    findAsked(restoreTo, context),
    source.address === undefined || source.port === undefined
      ? undefined
      : probeSource({ address: source.address, port: source.port, database: settings.database.name }, context),
  ]);
  const heartbeat = heartbeatIn(answer);
  const now = clock.now().toISOString();
  const decided = planRestore({
    settings,
    incident,
    active,
    source,
    window,
    ...asked,
    newestHeartbeat: heartbeat,
    now,
  });
  if ('refused' in decided) throw RestorePointUnavailable(`${decided.refused}.`);
  const due = await heartbeatOfSource(decided.plan, source, context);
  const plan = due === undefined ? decided.plan : { ...decided.plan, heartbeat: due };
  return {
    output: plan,
    summary: `restore ${source.identifier} as of ${plan.restorePoint}; it would lose about ${formatSeconds(plan.estimatedLossSeconds)}`,
    facts: {
      ...plan,
      sourceStatus: source.status,
      newestHeartbeat: heartbeat ?? 'unknown: the source does not answer',
    },
  };
}

/** What a copy of the newest moment must hold; undefined where the source does not say, or another moment is wanted. */
async function heartbeatOfSource(
  { restore, restorePoint }: RestorePlan,
  { address, port }: DatabaseInstance,
  context: AssessContext,
): Promise<string | undefined> {
  const isLatest = restore?.kind === 'time' && restore.at === 'latest';
  if (!isLatest || restorePoint === undefined || address === undefined || port === undefined) return undefined;
  return heartbeatDue({ address, port, database: context.settings.database.name }, restorePoint, context);
}

/** What was asked for by its name, as it is there. */
async function findAsked(wanted: RestoreTo | undefined, { databases, dumps }: AssessContext) {
  const none = { snapshot: undefined, dump: undefined };
  if (typeof wanted !== 'object') return none;
  if ('dump' in wanted) return { ...none, dump: await dumps.find(wanted.dump) };
  return { ...none, snapshot: await databases.findSnapshot(wanted.snapshot) };
}

const heartbeatIn = (answer: Answer | undefined) => (answer?.kind === 'answers' ? answer.newestHeartbeat : undefined);

async function assessRecovery(
  incident: Incident,
  active: ActiveDatabase,
  decision: ApprovalDecision | undefined,
  context: AssessContext,
): Promise<StepResult<RestorePlan>> {
  const { settings, clock, databases, looks, profiles } = context;
  const source = await databases.find(active.identifier);
  if (source !== undefined) requireSame(source, active);
  // `latest` is what a request says that says nothing; a person who means it says so with the approval.
  const wanted = decision?.restoreTo ?? (incident.restoreTo === 'latest' ? undefined : incident.restoreTo);
  const [window, asked, answer, look, profile] = await Promise.all([
    databases.restoreWindow(active),
    findAsked(wanted, context),
    probeSource(endpointOfActive(active, settings), context),
    looks.latest(),
    profiles.read(active.resourceId),
  ]);
  const seen = source === undefined ? profile?.seen : seenOf(source);
  if (seen === undefined)
    throw DatabaseNotFound(
      `RDS in ${incident.region} has no instance ${active.identifier}, and neither the recovery that made it nor a look of the sentinel recorded its settings.`,
    );
  const state = judgeSource(source, answer);
  await requireScope(incident, { state, address: endpointOfActive(active, settings) }, context);
  const damage = damageIn(look, active.resourceId);
  const newestHeartbeat = heartbeatIn(answer);
  const approved = decision?.approved === true;
  const now = clock.now().toISOString();
  const decided = planRecovery({
    settings,
    incident,
    active,
    state,
    seen,
    window,
    ...asked,
    damage,
    newestHeartbeat,
    wanted,
    approved,
    now,
  });
  if ('refused' in decided) throw RestorePointUnavailable(`${decided.refused}.`);
  const plan = { ...decided.plan, ...(await whatElseIsKnown(decided.plan, active, state, context)) };
  const found = damage?.found.join('; ') ?? 'the sentinel saw no damage';
  if (approved && plan.restore === undefined)
    throw RestorePointUnknown(`The approval names no restore point, and nothing bounds the damage: ${found}.`);
  return {
    output: plan,
    summary: `${active.identifier} is ${describeState[state]}; ${found}; ${describeChoice(plan)}`,
    facts: {
      ...plan,
      sourceState: state,
      sourceStatus: source?.status ?? 'RDS lists no such instance',
      answer: answer.kind === 'answers' ? 'answers' : answer.why,
      newestHeartbeat: newestHeartbeat ?? 'unknown: the source does not answer',
      lastLook: look === undefined ? 'none' : { at: look.at, verdict: look.verdict, unknown: look.unknown },
    },
  };
}

/** For the validation, and for a person who must choose again. What cannot be found out stops no recovery. */
async function whatElseIsKnown(
  { restore, restorePoint, window }: RestorePlan,
  active: ActiveDatabase,
  state: SourceState,
  context: AssessContext,
): Promise<Pick<RestorePlan, 'others' | 'heartbeat'>> {
  const { settings, clock, baselines, databases } = context;
  const before = new Date(Date.parse(restorePoint ?? clock.now().toISOString()) - 1).toISOString();
  const hasHeartbeat = state === 'alive' && restore?.kind === 'time' && restorePoint !== undefined;
  const [soundBefore, snapshots, heartbeat] = await Promise.all([
    baselines.atOrBefore(before, active.resourceId).catch(() => undefined),
    databases.snapshotsOf(active).catch(() => []),
    hasHeartbeat ? heartbeatDue(endpointOfActive(active, settings), restorePoint, context) : undefined,
  ]);
  const others = otherPoints({ source: active, restorePoint, window, soundBefore, snapshots });
  return { ...(others.length === 0 ? {} : { others }), ...(heartbeat === undefined ? {} : { heartbeat }) };
}

const describeState = { alive: 'there and answers', gone: 'gone', unknown: 'not reached, and may be alive' } as const;

function describeChoice({ restorePoint, estimatedLossSeconds, scope }: RestorePlan): string {
  if (restorePoint === undefined) return 'a person must choose the restore point';
  if (scope !== undefined) return `repair ${scope.tables.join(', ')} in place as of ${restorePoint}`;
  return `restore as of ${restorePoint}; it would lose about ${formatSeconds(estimatedLossSeconds)}`;
}

/** An earlier execution of this incident made its candidate production: what is left is to finish. */
async function resume(
  incident: Incident,
  active: ActiveDatabase,
  { settings, databases, profiles }: AssessContext,
): Promise<StepResult<RestorePlan> | undefined> {
  const candidate = await databases.find(active.identifier);
  if (candidate?.resourceId !== active.resourceId || candidate.tags[incidentTag] !== incident.id) return undefined;
  const former = await databases.find(incident.target);
  const resourceId = candidate.tags[restoredFromTag] ?? former?.resourceId ?? '';
  const profile: DatabaseProfile | undefined = former === undefined ? await profiles.read(resourceId) : undefined;
  const restorePoint = candidate.tags[restorePointTag] ?? candidate.createdAt ?? active.since;
  const isFormer = former?.resourceId === resourceId;
  const plan: RestorePlan = {
    source: {
      identifier: incident.target,
      resourceId,
      ...(isFormer && former.address !== undefined ? { address: former.address, port: former.port } : {}),
    },
    candidate: active.identifier,
    restore: { kind: 'time', at: restorePoint },
    restorePoint,
    // Of a copy without that tag nobody knows: at worst everything up to its becoming production.
    estimatedLossSeconds: Math.max(0, Number(candidate.tags[lossTag] ?? secondsBetween(restorePoint, active.since))),
    epoch: active.epoch - 1,
    approval: 'none', // it was given before the epoch was raised
    seen: isFormer ? seenOf(former) : (profile?.seen ?? seenOf(candidate)),
    resume: 'cut-over',
  };
  return {
    output: plan,
    summary: `${active.identifier}, which this incident restored as of ${restorePoint}, is production in ${settings.environment} already: finishing`,
    facts: { ...plan },
  };
}
