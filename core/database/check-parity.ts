/**
 * CheckParity: refuses a restored copy that differs from its source where it should not, and records what the copy is,
 * for it may be production in a minute, and be lost before the sentinel's first look at it.
 */
import { type Incident, recordVersion } from '../incident/contracts.ts';
import { isCopyDeleted } from '../incident/identifiers.ts';
import { isBefore } from '../incident/moments.ts';
import type { Clock } from '../incident/ports.ts';
import type { Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import type { Candidate, RestorePlan } from './contracts.ts';
import { DatabaseNotFound, DatabaseNotReady, ParityViolated } from './errors.ts';
import { compareFacts, type Difference, type Facts, factsIn, instanceFacts, postgresFactsSql } from './parity.ts';
import type {
  Credentials,
  DatabaseAddress,
  DatabaseInstance,
  Databases,
  Profiles,
  Secrets,
  Sessions,
} from './ports.ts';
import { protectedLike } from './protect-database.ts';
import { seenOf, usableStatuses } from './source.ts';
import { isAnswered, messageOf, withSession } from './sql.ts';

export interface ParityContext {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly databases: Pick<Databases, 'find' | 'parameters'>;
  readonly profiles: Profiles;
  readonly secrets: Secrets;
  readonly sessions: Sessions;
}

interface ParityInput {
  readonly incident: Incident;
  readonly plan: RestorePlan;
  readonly candidate: Candidate;
}

/** What the copy is compared with, and what is not known of it. */
interface Reference {
  readonly facts: Facts;
  readonly from: string;
  /** When it was so; undefined: now. */
  readonly at?: string;
}

export async function checkParity(
  input: ParityInput,
  context: ParityContext,
): Promise<StepResult<{ differences: Difference[] }>> {
  const { incident, plan, candidate } = input;
  const { settings, clock, databases, profiles, secrets } = context;
  const at = clock.now().toISOString();
  const copy = await databases.find(candidate.identifier);
  if (copy === undefined) throw DatabaseNotFound(`RDS has no instance ${candidate.identifier}.`);
  const sentinel = await secrets.credentials(settings.database.sentinelRole.secretName);
  const serverFacts = async (instance: DatabaseInstance): Promise<Facts> => ({
    ...(await parameterFacts(instance, databases)),
    ...(await postgresFacts(context.sessions, endpointOf(instance, settings), sentinel)),
  });
  const factsOf = async (instance: DatabaseInstance): Promise<Facts> => ({
    ...instanceFacts(instance),
    ...(await serverFacts(instance)),
  });
  const [reference, facts] = await Promise.all([referenceOf(input, context, factsOf), serverFacts(copy)]);
  const is = { ...instanceFacts(copy), ...facts };
  const was = reference.facts;
  // Without what PostgreSQL said of a source that is gone, only what is known of it can be compared.
  const compared = 'version' in was ? is : Object.fromEntries(Object.entries(is).filter(([name]) => name in was));
  const differences = compareFacts(was, compared, {
    settings,
    // A copy that is deleted afterwards is set up as that of a drill.
    mode: isCopyDeleted(incident) ? 'drill' : 'recovery',
    restoredEarlier:
      reference.at !== undefined && plan.restorePoint !== undefined && isBefore(plan.restorePoint, reference.at),
    fromDump: plan.restore?.kind === 'dump',
    fromReplica: plan.failover !== undefined,
    cutOver: plan.resume !== undefined,
  });
  const violations = differences.filter((each) => each.expected === undefined);
  // A modification shows late: what differs while RDS is still at work may be equal in a moment.
  if (violations.length > 0 && (!usableStatuses.has(copy.status) || copy.pending.length > 0))
    throw DatabaseNotReady(
      `${candidate.identifier} is ${copy.status}, pending: ${copy.pending.join(', ') || 'nothing'}; it differs in ${violations
        .map((each) => each.setting)
        .join(', ')} so far.`,
    );
  if (violations.length > 0)
    throw ParityViolated(
      `${candidate.identifier} differs from ${plan.source.identifier}: ${violations
        .map((each) => `${each.setting} is ${each.candidate}, not ${each.source}`)
        .join('; ')}.`,
      { details: { differences, comparedWith: reference.from } },
    );
  if (!isCopyDeleted(incident)) {
    const seen = protectedLike(seenOf(copy), plan.seen);
    const { identifier, resourceId } = candidate;
    await profiles.record({ version: recordVersion, at, identifier, resourceId, seen, facts });
  }
  const count = Object.keys(was).length;
  const where = incident.mode === 'drill' ? 'a drill' : 'a recovery';
  return {
    output: { differences },
    summary: `${count} settings compared; ${differences.length} differ, all expected in ${where}`,
    facts: { compared: count, comparedWith: reference.from, differences },
  };
}

/**
 * A drill compares with production as it is. In a recovery production is damaged or gone: the sentinel's last sound look
 * says what it was; without one, what the assessment saw of it in RDS.
 */
async function referenceOf(
  { incident, plan }: ParityInput,
  { databases, profiles }: ParityContext,
  factsOf: (instance: DatabaseInstance) => Promise<Facts>,
): Promise<Reference> {
  const { identifier, resourceId } = plan.source;
  // Of another Region's production the profile tells, in a drill as in the disaster.
  if (incident.mode === 'drill' && plan.failover === undefined) {
    const source = await databases.find(identifier);
    if (source === undefined) throw DatabaseNotFound(`RDS has no instance ${identifier}.`);
    return { facts: await factsOf(source), from: `${identifier} as it is` };
  }
  const profile = await profiles.read(resourceId);
  const seen = plan.seen ?? profile?.seen;
  if (seen === undefined) throw DatabaseNotFound(`Nothing is known of how ${identifier} was set up.`);
  const instance = instanceFacts(seen);
  if (profile !== undefined)
    return {
      facts: { ...profile.facts, ...instance },
      from: `${identifier} at the sound look of ${profile.at}`,
      at: profile.at,
    };
  return {
    facts: { ...instance, ...(await parameterFacts(seen, databases)) },
    from: `${identifier} as RDS showed it; no sound look recorded what PostgreSQL said of itself`,
  };
}

/** What RDS was asked for, besides what PostgreSQL says: a parameter that waits for a reboot shows only here. */
export async function parameterFacts(
  instance: Pick<DatabaseInstance, 'settings'>,
  databases: Pick<Databases, 'parameters'>,
): Promise<Facts> {
  const group = instance.settings.parameterGroup;
  if (typeof group !== 'string') return {};
  const parameters = await databases.parameters(group);
  return Object.fromEntries(Object.entries(parameters).map(([name, value]) => [`parameter group ${name}`, value]));
}

/** Throws DatabaseNotReady where it does not answer. */
async function postgresFacts(sessions: Sessions, address: DatabaseAddress, sentinel: Credentials): Promise<Facts> {
  const rows = await withSession(sessions, address, sentinel, (session) => session.query(postgresFactsSql)).catch(
    (cause: unknown) => {
      if (isAnswered(cause)) throw cause;
      // Unknown is not equal: without the source's answer there is no verdict.
      throw DatabaseNotReady(`${address.address} does not answer: ${messageOf(cause)}`, { cause });
    },
  );
  return factsIn(rows);
}

function endpointOf({ identifier, address, port }: DatabaseInstance, { database }: Settings): DatabaseAddress {
  if (address === undefined || port === undefined) throw DatabaseNotReady(`${identifier} has no endpoint.`);
  return { address, port, database: database.name };
}
