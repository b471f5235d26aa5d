/** What a recovery undoes where it does not succeed. Each finds out first whether there still is something to undo. */
import * as z from 'zod';
import type { ActiveDatabase } from '../incident/contracts.ts';
import { incidentTag, unfenceSource } from '../incident/identifiers.ts';
import { secondsBetween } from '../incident/moments.ts';
import type { Clock, ControlStore, Undo, UndoOutcome } from '../incident/ports.ts';
import { Deployment, type Settings } from '../settings.ts';
import type { Login } from './credentials.ts';
import { DatabaseNotReady, PromotionUndecided } from './errors.ts';
import { expiryIn } from './expiry.ts';
import { closeTo, fenceLogins, hasRoles, openTo, proveRefused } from './fence.ts';
import { isOutOfReach } from './isolated.ts';
import type { DatabaseInstance, Databases, Parameters, Secrets, Sessions, Workloads } from './ports.ts';
import { CloseCandidate, closeCandidate, promotionTag, terminalStatuses } from './restore-database.ts';
import { answerOf, judgeSource } from './source.ts';
import { withSession } from './sql.ts';

export const restoreTenure = 'restore-tenure';
export const restoreEndpoint = 'restore-endpoint';

export interface UndoContext {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly control: Pick<ControlStore, 'readActiveDatabase' | 'confirmActiveDatabase'>;
  readonly databases: Pick<Databases, 'find'>;
  /** Of another Region, where production was when a Region was failed over. */
  readonly databasesIn: (region: string) => Pick<Databases, 'find'>;
  readonly parameters: Pick<Parameters, 'read' | 'write'>;
  readonly secrets: Secrets;
  readonly sessions: Sessions;
  readonly workloads: Pick<Workloads, 'restart'>;
  /** The state machine has waited for as long as a promotion may take to begin. */
  readonly promotionAwaited?: boolean;
}

/** What decides whether a candidate still follows. */
type Awaiting = Pick<UndoContext, 'clock' | 'promotionAwaited'>;

export const Unfence = z.object({
  identifier: z.string(),
  resourceId: z.string(),
  address: z.string(),
  port: z.number(),
  database: z.string(),
  epoch: z.number(),
  roles: z.array(z.string()),
  /** Where it is, if not in the Region of the recovery. */
  region: z.string().optional(),
  /** What the recovery restores: it must not take writes beside the source. */
  candidate: z.string(),
  incidentId: z.string(),
});
export type Unfence = z.infer<typeof Unfence>;

export const RestoreTenure = z.object({
  resourceId: z.string(),
  epoch: z.number(),
  /** The Region whose tenure was ended. */
  region: z.string(),
  /** What the failover promotes or restores: it must not take writes beside the primary. */
  candidate: z.string(),
  incidentId: z.string(),
});
export type RestoreTenure = z.infer<typeof RestoreTenure>;

const Endpoint = z.object({
  resourceId: z.string(),
  epoch: z.number(),
  parameter: z.string(),
  /** What it held; absent: it did not exist. */
  value: z.string().optional(),
  deployment: Deployment,
});

/** By the name under which each is registered. */
export const databaseUndos = (context: UndoContext): Readonly<Record<string, Undo>> => ({
  [unfenceSource]: (facts) => undoFence(Unfence.parse(facts), context),
  [restoreTenure]: (facts) => told(undoEndOfTenure(RestoreTenure.parse(facts), context)),
  [closeCandidate]: (facts) => told(undoRestore(CloseCandidate.parse(facts), context)),
  [restoreEndpoint]: (facts) => told(undoEndpoint(Endpoint.parse(facts), context)),
});

const told = async (outcome: Promise<string>): Promise<UndoOutcome> => ({ outcome: await outcome });

/** The record still says that this is production, as when the act was registered, or as an earlier undo confirmed it. */
const isStillActive = (active: ActiveDatabase | undefined, facts: { resourceId: string; epoch: number }): boolean =>
  active?.resourceId === facts.resourceId && (active.epoch === facts.epoch || active.epoch === facts.epoch + 1);

/** Opening any other database than the active one would make two that take writes. */
export async function undoFence(
  facts: Unfence,
  context: Awaiting &
    Pick<UndoContext, 'settings' | 'control' | 'databases' | 'secrets' | 'sessions'> &
    Partial<Pick<UndoContext, 'databasesIn'>>,
): Promise<UndoOutcome> {
  const { control, databases, databasesIn, sessions } = context;
  const active = await control.readActiveDatabase();
  if (active === undefined || !isStillActive(active, facts))
    return {
      outcome: `${facts.identifier} stays fenced: ${active?.identifier ?? 'nothing'} is production at epoch ${active?.epoch}`,
    };
  const there = facts.region === undefined ? databases : (databasesIn?.(facts.region) ?? databases);
  const instance = await there.find(facts.identifier);
  if (instance?.resourceId !== facts.resourceId) return { outcome: `${facts.identifier} is gone; nothing to unfence` };
  // A function outlives its execution: a cut-over that is still on its way was planned for the old epoch, and now fails.
  if (active.epoch === facts.epoch && !(await control.confirmActiveDatabase(active)))
    throw DatabaseNotReady(`Which database is production was changed while ${facts.identifier} was to be opened.`);
  const { master } = await closeOwn(facts, context);
  const expiry = expiryIn(context.settings, active.region, context.clock.now().toISOString());
  try {
    await withSession(sessions, facts, master, (session) =>
      openTo({ session, sessions, target: facts, master }, facts.roles, { resumeJobs: true, expiry }),
    );
  } catch (error) {
    if (judgeSource(instance, answerOf(error)) !== 'gone') throw error;
    return {
      outcome: `${facts.identifier} is ${instance.status} and answers nobody; should it come back, it comes back fenced`,
    };
  }
  return { outcome: `${facts.identifier} takes the writes of ${facts.roles.join(', ')} again`, takesWrites: true };
}

/** Whoever opens the source, or lets it open, closes first what is to take its place. */
async function closeOwn(
  facts: Pick<Unfence, 'candidate' | 'incidentId'>,
  context: Awaiting & Pick<UndoContext, 'settings' | 'databases' | 'secrets' | 'sessions'>,
) {
  const { settings, databases, secrets, sessions } = context;
  const fencing = await fenceLogins(settings, secrets);
  const candidate = await findOwn({ ...facts, identifier: facts.candidate }, databases);
  if (candidate !== undefined && !isOutOfReach(candidate, settings) && !isStillReplica(candidate, context))
    await close(candidate, { settings, sessions, ...fencing });
  return fencing;
}

/** A tenure that was ended is so for its epoch alone: a new one lets the guard renew it, and open what it fenced. */
async function undoEndOfTenure(facts: RestoreTenure, context: UndoContext): Promise<string> {
  const active = await context.control.readActiveDatabase();
  if (active?.resourceId !== facts.resourceId || active.epoch !== facts.epoch)
    return `the tenure of ${facts.region} stays ended: ${active?.identifier ?? 'nothing'} is production at epoch ${active?.epoch}`;
  await closeOwn(facts, context);
  if (!(await context.control.confirmActiveDatabase(active)))
    throw DatabaseNotReady(`Which database is production was changed while ${active.identifier} was to go on.`);
  return `${active.identifier} in ${facts.region} goes on as production: its guard may renew its tenure`;
}

/** The copy stays, as evidence, and takes nobody's writes. */
async function undoRestore(facts: CloseCandidate, context: UndoContext): Promise<string> {
  const { settings, control, databases, secrets, sessions } = context;
  const { identifier } = facts;
  if ((await control.readActiveDatabase())?.identifier === identifier)
    return `${identifier} is production: it is left as it is`;
  const candidate = await findOwn(facts, databases);
  if (candidate === undefined) return `there is no copy ${identifier} to close`;
  if (isStillReplica(candidate, context)) return `${identifier} was not promoted: it follows production`;
  await close(candidate, { settings, sessions, ...(await fenceLogins(settings, secrets)) });
  return `${identifier} is closed to the application and kept`;
}

/** Undefined too where another took the name: nothing is altered that the incident did not make. */
async function findOwn(
  { identifier, incidentId }: CloseCandidate,
  databases: UndoContext['databases'],
): Promise<DatabaseInstance | undefined> {
  const instance = await databases.find(identifier);
  return instance?.tags[incidentTag] === incidentId ? instance : undefined;
}

/** RDS goes on with a promotion for a while before anything shows of it: 5 minutes are more than it has ever taken to begin. */
const promotionBeginsSeconds = 300;

/**
 * A replica takes nobody's writes. One whose promotion was asked for a moment ago may be none the next: wait and see. The
 * state machine waits, so that this ends with its retries where the installation's minutes are shorter than ours.
 */
function isStillReplica(
  { identifier, replicaOf, tags }: DatabaseInstance,
  { clock, promotionAwaited = false }: Awaiting,
): boolean {
  if (replicaOf === undefined) return false;
  const asked = tags[promotionTag];
  if (asked === undefined || promotionAwaited) return true;
  if (secondsBetween(asked, clock.now().toISOString()) < promotionBeginsSeconds)
    throw PromotionUndecided(`${identifier} is being promoted, perhaps: it is closed as soon as that shows.`);
  return true;
}

interface CandidateContext extends Pick<UndoContext, 'settings' | 'sessions'> {
  readonly master: Login;
  readonly logins: readonly Login[];
}

/**
 * A copy restored to a time before the fence still admits the application: it is fenced before the source is opened. One
 * that RDS has given up, and on which nobody listens, takes nobody's writes.
 */
async function close(
  { identifier, address, port, status }: DatabaseInstance,
  { settings, sessions, master, logins }: CandidateContext,
): Promise<void> {
  if (status === 'stopped') return;
  const isGivenUp = terminalStatuses.has(status);
  if (address === undefined || port === undefined) {
    if (isGivenUp) return;
    throw DatabaseNotReady(`${identifier} is ${status}: it is fenced as soon as it is up.`);
  }
  const target = { identifier, address, port, database: settings.database.name };
  try {
    const closed = await withSession(sessions, target, master, async (session) => {
      // One that a dump was to fill has no roles yet, and so nobody to keep out.
      if (!(await hasRoles(session, logins))) return false;
      const opened = { session, sessions, target, master };
      await closeTo(opened, logins, settings, { prepared: 'keep', setPasswords: true });
      return true;
    });
    if (!closed) return;
  } catch (error) {
    if (isGivenUp && answerOf(error).kind === 'refuses') return;
    throw error;
  }
  for (const login of logins) await proveRefused(sessions, target, login);
}

async function undoEndpoint(
  facts: z.infer<typeof Endpoint>,
  { clock, control, parameters, workloads }: UndoContext,
): Promise<string> {
  const active = await control.readActiveDatabase();
  if (!isStillActive(active, facts)) return 'the epoch was raised: the endpoint follows the new database';
  const { parameter, value, deployment } = facts;
  if (value === undefined || (await parameters.read(parameter)) === value) return `${parameter} was not changed`;
  await parameters.write(parameter, value);
  await workloads.restart(deployment, clock.now().toISOString());
  return `${parameter} holds ${value} again, and ${deployment.name} was restarted`;
}
