/** What a recovery undoes where it does not succeed. Each finds out first whether there still is something to undo. */
import * as z from 'zod';
import type { ActiveDatabase } from '../incident/contracts.ts';
import type { Clock, ControlStore, Undo } from '../incident/ports.ts';
import { Deployment, type Settings } from '../settings.ts';
import type { Login } from './credentials.ts';
import { DatabaseNotReady } from './errors.ts';
import { closeTo, fenceLogins, openTo, proveRefused } from './fence.ts';
import type { Databases, Parameters, Secrets, Sessions, Workloads } from './ports.ts';
import { terminalStatuses } from './restore-database.ts';
import { answerOf, judgeSource } from './source.ts';
import { withSession } from './sql.ts';

export const unfenceSource = 'unfence-source';
export const restoreEndpoint = 'restore-endpoint';

export interface UndoContext {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly control: Pick<ControlStore, 'readActiveDatabase'>;
  readonly databases: Pick<Databases, 'find'>;
  readonly parameters: Pick<Parameters, 'read' | 'write'>;
  readonly secrets: Secrets;
  readonly sessions: Sessions;
  readonly workloads: Pick<Workloads, 'restart'>;
}

export const Unfence = z.object({
  identifier: z.string(),
  resourceId: z.string(),
  address: z.string(),
  port: z.number(),
  database: z.string(),
  epoch: z.number(),
  roles: z.array(z.string()),
  /** What the recovery restores: it must not take writes beside the source. */
  candidate: z.string(),
});
export type Unfence = z.infer<typeof Unfence>;

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
  [restoreEndpoint]: (facts) => undoEndpoint(Endpoint.parse(facts), context),
});

/** The record still says that this is production, as it did when the act was registered. */
const isStillActive = (active: ActiveDatabase | undefined, facts: { resourceId: string; epoch: number }) =>
  active?.resourceId === facts.resourceId && active.epoch === facts.epoch;

/** Opening any other database than the active one would make two that take writes. */
export async function undoFence(
  facts: Unfence,
  {
    settings,
    control,
    databases,
    secrets,
    sessions,
  }: Pick<UndoContext, 'settings' | 'control' | 'databases' | 'secrets' | 'sessions'>,
): Promise<string> {
  const active = await control.readActiveDatabase();
  if (!isStillActive(active, facts))
    return `${facts.identifier} stays fenced: ${active?.identifier ?? 'nothing'} is production at epoch ${active?.epoch}`;
  const instance = await databases.find(facts.identifier);
  if (instance?.resourceId !== facts.resourceId) return `${facts.identifier} is gone; nothing to unfence`;
  const { master, logins } = await fenceLogins(settings, secrets);
  await closeCandidate(facts.candidate, { settings, databases, sessions, master, logins });
  try {
    await withSession(sessions, facts, master, (session) =>
      openTo({ session, sessions, target: facts, master }, facts.roles, true),
    );
  } catch (error) {
    if (judgeSource(instance, answerOf(error)) !== 'gone') throw error;
    return `${facts.identifier} is ${instance.status} and answers nobody; should it come back, it comes back fenced`;
  }
  return `${facts.identifier} takes the writes of ${facts.roles.join(', ')} again`;
}

interface CandidateContext extends Pick<UndoContext, 'settings' | 'databases' | 'sessions'> {
  readonly master: Login;
  readonly logins: readonly Login[];
}

/**
 * A copy restored to a time before the fence still admits the application: it is fenced before the source is opened. One
 * that RDS has given up, and on which nobody listens, takes nobody's writes.
 */
async function closeCandidate(
  identifier: string,
  { settings, databases, sessions, master, logins }: CandidateContext,
): Promise<void> {
  const candidate = await databases.find(identifier);
  if (candidate === undefined || candidate.status === 'stopped') return;
  const { address, port, status } = candidate;
  const isGivenUp = terminalStatuses.has(status);
  if (address === undefined || port === undefined) {
    if (isGivenUp) return;
    throw DatabaseNotReady(`${identifier} is ${status}: it must be fenced before the source takes writes again.`);
  }
  const target = { identifier, address, port, database: settings.database.name };
  try {
    await withSession(sessions, target, master, (session) =>
      closeTo({ session, sessions, target, master }, logins, settings, { prepared: 'roll-back', setPasswords: true }),
    );
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
