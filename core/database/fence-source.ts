/** FenceSource: production takes no writes any more, and it is proven, before anything else may take them. */
import { interruption } from '../communications/customers.ts';
import { RecoveryError } from '../errors.ts';
import type { Incident } from '../incident/contracts.ts';
import { endOf } from '../incident/end-of.ts';
import { unfenceSource } from '../incident/identifiers.ts';
import type { Announcer, Clock, Compensations, ControlStore, Executions } from '../incident/ports.ts';
import type { Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import type { RestorePlan } from './contracts.ts';
import type { Login } from './credentials.ts';
import { ConnectionsExhausted, DatabaseNotReady, FenceFailed, LeaseLost } from './errors.ts';
import { closeTo, fenceLogins, proveRefused, type Target } from './fence.ts';
import type { Databases, Secrets, Session, Sessions } from './ports.ts';
import { answerOf, judgeSource } from './source.ts';
import { messageOf, sqlState, stepTimeouts, whileConnected } from './sql.ts';
import { type Unfence, undoFence } from './undo.ts';

export interface FenceSourceContext {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly databases: Pick<Databases, 'find'>;
  readonly secrets: Secrets;
  readonly sessions: Sessions;
  readonly compensations: Pick<Compensations, 'register'>;
  readonly control: Pick<ControlStore, 'readActiveDatabase' | 'readLease' | 'confirmActiveDatabase'>;
  readonly executions: Pick<Executions, 'status'>;
  readonly announcer: Announcer;
}

export interface SourceFence {
  readonly outcome: 'fenced' | 'gone';
  /** After the last write that it can have accepted. */
  readonly fencedAt?: string;
}

/**
 * Gone (no instance, or one that RDS has given up, and nobody listens) is recorded. What cannot be reached and may be
 * alive throws FenceFailed: it may take writes again. 57P03 and the like say that it is coming up: DatabaseNotReady. One that
 * has no connection left for us is up: ConnectionsExhausted.
 */
export async function fenceSource(
  { incident, plan }: { incident: Incident; plan: RestorePlan },
  context: FenceSourceContext,
): Promise<StepResult<SourceFence>> {
  const result = await fence({ incident, plan }, context);
  if (plan.resume === undefined)
    await context.announcer.announce(incident, {
      kind: 'milestone',
      headline: 'Production takes no writes until the cut-over',
      lines: [result.summary],
      customers: interruption(result.output.fencedAt ?? context.clock.now().toISOString()),
    });
  return result;
}

export async function fence(
  { incident, plan }: { incident: Incident; plan: RestorePlan },
  context: FenceSourceContext,
): Promise<StepResult<SourceFence>> {
  const { settings, clock, secrets, sessions, compensations } = context;
  const { identifier, resourceId } = plan.source;
  const ended = await endOf(incident, context.executions);
  if (ended) throw LeaseLost(`${ended}: ${identifier} is left as it is.`);
  const target = targetOfSource(plan, settings);
  const { master, logins } = await fenceLogins(settings, secrets);
  const roles = logins.map((login) => login.username);
  const session = target && (await openSource(target, master, plan, context));
  if (target === undefined || session === undefined)
    return {
      // A plan that was to lose nothing was made while it was there: what its log lacks up to now is lost all the same.
      output: { outcome: 'gone', ...(plan.estimatedLossSeconds === 0 ? { fencedAt: clock.now().toISOString() } : {}) },
      summary: `${identifier} (${resourceId}) is gone: there is nothing to fence`,
      facts: { source: plan.source, outcome: 'gone', never: 'start it again: it would take writes' },
    };
  try {
    const { epoch, candidate } = plan;
    const from = plan.failover?.from;
    const undoing: Unfence = {
      ...target,
      resourceId,
      epoch,
      roles,
      candidate,
      incidentId: incident.id,
      ...(from === undefined ? {} : { region: from }),
    };
    // Before the act; and not where this incident's candidate is production, for the source then stays closed.
    if (plan.resume === undefined) await compensations.register(incident.id, unfenceSource, undoing);
    const closed = await whileConnected(target, () =>
      closeTo({ session, sessions, target, master }, logins, settings, { prepared: 'refuse', setPasswords: false }),
    );
    for (const login of logins) await proveRefused(sessions, target, login);
    if (plan.resume === undefined) await requireRunning(incident, undoing, context);
    return {
      output: { outcome: 'fenced', fencedAt: clock.now().toISOString() },
      summary: `${identifier} refuses ${roles.join(', ')}: proven by a login; ${closed.sessionsEnded} sessions ended`,
      facts: { roles, ...closed, outcome: 'fenced', proof: 'login refused with SQLSTATE 28000' },
    };
  } finally {
    await session.close();
  }
}

/**
 * One that was stopped while this fenced may have been compensated before the fence was there, and nobody would lift it.
 * Another recovery's fence is that one's to lift.
 */
async function requireRunning(incident: Incident, undoing: Unfence, context: FenceSourceContext): Promise<void> {
  const ended = await endOf(incident, context.executions);
  if (ended === undefined) return;
  const lease = await context.control.readLease();
  const isOthers = lease?.mode === 'recovery' && lease.executionArn !== incident.executionArn;
  const outcome = isOthers ? `${lease.incidentId} is at work on it` : (await undoFence(undoing, context)).outcome;
  throw LeaseLost(`${ended}, while ${undoing.identifier} was being fenced: ${outcome}.`);
}

/** Undefined where the plan knows no endpoint: the instance was gone when it was made. */
export function targetOfSource({ source }: RestorePlan, { database }: Settings): Target | undefined {
  const { identifier, address, port } = source;
  if (address === undefined || port === undefined) return undefined;
  return { identifier, address, port, database: database.name };
}

/** 57P03 cannot_connect_now, in crash recovery and while it shuts down; 53300 too_many_connections. */
const comingUp = new Set(['57P03', 'ECONNRESET']);
const noneLeft = '53300';

/** It was met on its way up or down: no session was opened. A connection that is lost later says that it does take sessions. */
export const isComingUp = (error: unknown): boolean =>
  error instanceof RecoveryError && error.name === DatabaseNotReady.definition.name && error.details.comingUp === true;

/** Undefined: it is gone. */
async function openSource(
  target: Target,
  master: Login,
  plan: RestorePlan,
  { sessions, databases }: FenceSourceContext,
): Promise<Session | undefined> {
  try {
    return await sessions.open(target, master, stepTimeouts);
  } catch (cause) {
    const why = `${target.identifier} cannot be fenced: ${messageOf(cause)}`;
    const code = sqlState(cause) ?? '';
    if (comingUp.has(code)) throw DatabaseNotReady(`${why}.`, { cause, details: { comingUp: true } });
    if (code === noneLeft) throw ConnectionsExhausted(`${why}.`, { cause });
    const instance = await databases.find(plan.source.identifier);
    const same = instance?.resourceId === plan.source.resourceId ? instance : undefined;
    if (judgeSource(same, answerOf(cause)) === 'gone') return undefined;
    throw FenceFailed(`${why}; RDS says ${same?.status ?? 'nothing'} of it, and it may take writes.`, { cause });
  }
}
