/** CheckParity: refuses a restored copy that differs from its source where it should not. */
import type { Incident } from '../incident/contracts.ts';
import type { Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import type { Candidate, RestorePlan } from './contracts.ts';
import { DatabaseNotFound, DatabaseNotReady, ParityViolated } from './errors.ts';
import { compareFacts, type Difference, type Facts, instanceFacts, postgresFactsSql } from './parity.ts';
import type { Credentials, DatabaseAddress, DatabaseInstance, Databases, Secrets, Sessions } from './ports.ts';
import { isAnswered, messageOf, withSession } from './sql.ts';

export interface ParityContext {
  readonly settings: Settings;
  readonly databases: Pick<Databases, 'find' | 'parameters'>;
  readonly secrets: Secrets;
  readonly sessions: Sessions;
}

export async function checkParity(
  { plan, candidate }: { incident: Incident; plan: RestorePlan; candidate: Candidate },
  { settings, databases, secrets, sessions }: ParityContext,
): Promise<StepResult<{ differences: Difference[] }>> {
  const [source, copy, sentinel] = await Promise.all([
    databases.find(plan.source.identifier),
    databases.find(candidate.identifier),
    secrets.credentials(settings.database.sentinelRole.secretName),
  ]);
  if (source === undefined || copy === undefined)
    throw DatabaseNotFound(
      `RDS has no instance ${source === undefined ? plan.source.identifier : candidate.identifier}.`,
    );
  const factsOf = async (instance: DatabaseInstance): Promise<Facts> => ({
    ...instanceFacts(instance),
    ...(await parameterFacts(instance, databases)),
    ...(await postgresFacts(sessions, endpointOf(instance, settings), sentinel)),
  });
  const [was, is] = await Promise.all([factsOf(source), factsOf(copy)]);
  const differences = compareFacts(was, is, settings);
  const violations = differences.filter((each) => each.expected === undefined);
  // A modification shows late: what differs while RDS is still at work may be equal in a moment.
  if (violations.length > 0 && (copy.status !== 'available' || copy.pending.length > 0))
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
      { details: { differences } },
    );
  const compared = Object.keys(was).length;
  return {
    output: { differences },
    summary: `${compared} settings compared; ${differences.length} differ, all expected in a drill`,
    facts: { compared, differences },
  };
}

/** What RDS was asked for, besides what PostgreSQL says: a parameter that waits for a reboot shows only here. */
async function parameterFacts(instance: DatabaseInstance, databases: ParityContext['databases']): Promise<Facts> {
  const group = instance.settings.parameterGroup;
  if (typeof group !== 'string') return {};
  const parameters = await databases.parameters(group);
  return Object.fromEntries(Object.entries(parameters).map(([name, value]) => [`parameter group ${name}`, value]));
}

async function postgresFacts(sessions: Sessions, address: DatabaseAddress, sentinel: Credentials): Promise<Facts> {
  const rows = await withSession(sessions, address, sentinel, (session) => session.query(postgresFactsSql)).catch(
    (cause: unknown) => {
      if (isAnswered(cause)) throw cause;
      // Unknown is not equal: without the source's answer there is no verdict.
      throw DatabaseNotReady(`${address.address} does not answer: ${messageOf(cause)}`, { cause });
    },
  );
  return Object.fromEntries(rows.map((row) => [row.setting ?? '', row.value ?? '']));
}

function endpointOf({ identifier, address, port }: DatabaseInstance, { database }: Settings): DatabaseAddress {
  if (address === undefined || port === undefined) throw DatabaseNotReady(`${identifier} has no endpoint.`);
  return { address, port, database: database.name };
}
