/** ProtectDatabase and AwaitProtected: the new production is as safe as the old one was. The application runs already. */
import type { Incident } from '../incident/contracts.ts';
import type { Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import type { Candidate, RestorePlan, SeenInstance } from './contracts.ts';
import { DatabaseNotFound, DatabaseNotReady } from './errors.ts';
import type { Databases } from './ports.ts';
import { findAvailable } from './restore-database.ts';
import { targetOf } from './target.ts';

interface ProtectInput {
  readonly incident: Incident;
  readonly plan: RestorePlan;
  readonly candidate: Candidate;
}

export interface ProtectContext {
  readonly settings: Settings;
  readonly databases: Pick<Databases, 'find' | 'failures' | 'restoreWindow' | 'protect'>;
}

/** Settings of the source that protect the new instance; RDS shows each under the same name afterwards. */
const protections = [
  'deletionProtection',
  'multiAz',
  'securityGroupIds',
  'backupRetentionDays',
  'backupWindow',
  'maintenanceWindow',
  'copyTagsToSnapshot',
] as const;

/** `seen` with what ProtectDatabase gives it. */
export const protectedLike = (seen: SeenInstance, like: SeenInstance = seen): SeenInstance => {
  const given = protections.flatMap((name) => {
    const value = like.settings[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...seen, settings: { ...seen.settings, ...Object.fromEntries(given) } };
};

export async function protectDatabase(
  { incident, plan, candidate }: ProtectInput,
  { settings, databases }: ProtectContext,
): Promise<StepResult<Record<string, never>>> {
  const instance = await databases.find(candidate.identifier);
  if (instance?.resourceId !== candidate.resourceId)
    throw DatabaseNotFound(`${candidate.identifier} is not ${candidate.resourceId} any more; nothing was changed.`);
  const like = seenOf(plan);
  await databases.protect(candidate.identifier, like);
  const given = Object.fromEntries(protections.map((name) => [name, like.settings[name]]));
  return {
    output: {},
    summary: `${candidate.identifier} is given what protected ${plan.source.identifier}`,
    facts: {
      ...given,
      terraformDebt: {
        import: candidate.identifier,
        old: plan.source.identifier,
        parameter: targetOf(incident, settings).databaseEndpointParameter,
      },
      notCarriedOver: 'a read replica or replicated backups of the former instance in the other Region',
    },
  };
}

/** Protected: nothing pending, every protection shows, and a first backup can be restored from. */
export async function awaitProtected(
  { plan, candidate }: ProtectInput,
  {
    settings,
    databases,
  }: Omit<ProtectContext, 'databases'> & { databases: Pick<Databases, 'find' | 'failures' | 'restoreWindow'> },
): Promise<StepResult<Record<string, never>>> {
  const { instance } = await findAvailable(candidate.identifier, settings, databases);
  if (instance.pending.length > 0)
    throw DatabaseNotReady(`${candidate.identifier} has modifications pending: ${instance.pending.join(', ')}.`);
  const wanted = seenOf(plan).settings;
  const missing = protections.filter(
    (name) => wanted[name] !== undefined && !same(wanted[name], instance.settings[name]),
  );
  if (missing.length > 0)
    throw DatabaseNotReady(
      `${candidate.identifier} waits for ${missing.map((name) => `${name} ${wanted[name]}`).join(', ')}.`,
    );
  const window = await databases.restoreWindow(instance);
  if (window === undefined && Number(wanted.backupRetentionDays ?? 0) > 0)
    throw DatabaseNotReady(`${candidate.identifier} has no backup yet.`);
  return {
    output: {},
    summary: `${candidate.identifier} is protected as ${plan.source.identifier} was${window ? `, and can be restored from ${window.earliest} on` : ''}`,
    facts: { restoreWindow: window ?? 'none: the former instance kept no backups' },
  };
}

/** RDS promises no order. */
const same = (a: unknown, b: unknown) =>
  Array.isArray(a) && Array.isArray(b) ? [...a].sort().join() === [...b].sort().join() : a === b;

function seenOf({ seen, source }: RestorePlan) {
  if (seen !== undefined) return seen;
  throw DatabaseNotFound(`The plan does not say how ${source.identifier} was protected.`);
}
