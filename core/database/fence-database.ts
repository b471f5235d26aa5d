/**
 * FenceDatabase: a restored copy takes no writes of the application until it is cut over, and it is proven. Only then is a
 * recovery's copy admitted to the application's network: at its restore point the application could log in.
 */
import type { Incident } from '../incident/contracts.ts';
import { isCopyDeleted } from '../incident/identifiers.ts';
import type { ControlStore } from '../incident/ports.ts';
import type { Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import type { Candidate, RestorePlan } from './contracts.ts';
import { closeTo, fenceLogins, leftOpen, proveRefused } from './fence.ts';
import type { Databases, Secrets, Sessions } from './ports.ts';
import { likeOf } from './restore-database.ts';
import { withSession } from './sql.ts';

export interface FenceContext {
  readonly settings: Settings;
  readonly control: Pick<ControlStore, 'readActiveDatabase'>;
  readonly databases: Pick<Databases, 'find' | 'admit'>;
  readonly secrets: Secrets;
  readonly sessions: Sessions;
}

export interface FenceInput {
  readonly incident: Incident;
  readonly plan: RestorePlan;
  readonly candidate: Candidate;
}

export interface Fence {
  readonly roles: readonly string[];
  readonly sessionsEnded: number;
}

/** Throws FenceFailed where the database is not proven closed, RoleUnusable where it cannot be fenced at all. */
export async function fenceDatabase(
  { incident, plan, candidate }: FenceInput,
  { settings, control, databases, secrets, sessions }: FenceContext,
): Promise<StepResult<Fence>> {
  // A retry may meet its own candidate as production: fencing it would be the outage.
  if (incident.mode === 'recovery' && (await control.readActiveDatabase())?.resourceId === candidate.resourceId)
    return {
      output: { roles: [], sessionsEnded: 0 },
      summary: `${candidate.identifier} is production already and is not fenced`,
    };
  const { master, logins } = await fenceLogins(settings, secrets);
  const roles = logins.map((login) => login.username);
  const closing = {
    prepared: isCopyDeleted(incident) ? 'roll-back' : 'refuse',
    // A drill finds what would stop a recovery; a recovery's copy may be all there is, and is given the data's own.
    subscriptions: incident.mode === 'drill' ? 'refuse' : 'keep',
    setPasswords: true,
  } as const;
  const closed = await withSession(sessions, candidate, master, (session) =>
    closeTo({ session, sessions, target: candidate, master }, logins, settings, closing),
  );
  for (const login of logins) await proveRefused(sessions, candidate, login);
  const admitted = isCopyDeleted(incident) ? undefined : await admit(plan, candidate, databases);
  return {
    output: { roles, sessionsEnded: closed.sessionsEnded },
    summary: `${candidate.identifier} refuses ${roles.join(', ')}: ${['proven by a login', `${closed.sessionsEnded} sessions ended`, ...leftOpen(closed)].join('; ')}`,
    facts: { roles, ...closed, proof: 'login refused with SQLSTATE 28000', ...(admitted && { admitted }) },
  };
}

/**
 * Well before the cut-over: security groups take their time. A replica has been in them from the start, and is left alone:
 * right after its promotion RDS takes its first backup, and modifies nothing meanwhile.
 */
async function admit(
  plan: RestorePlan,
  { identifier }: Candidate,
  databases: FenceContext['databases'],
): Promise<readonly string[] | undefined> {
  const { securityGroupIds } = likeOf(plan, await databases.find(plan.source.identifier)).settings;
  if (!Array.isArray(securityGroupIds)) return undefined;
  const has = (await databases.find(identifier))?.settings.securityGroupIds;
  if (Array.isArray(has) && [...has].sort().join() === [...securityGroupIds].sort().join()) return undefined;
  await databases.admit(identifier, securityGroupIds);
  return securityGroupIds;
}
