/** CutOver and AwaitWorkload of a drill: the canary of the application moves to the restored copy. */
import type { Incident } from '../incident/contracts.ts';
import type { Announcer, Clock, ControlStore } from '../incident/ports.ts';
import type { Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import type { Candidate, RestorePlan } from './contracts.ts';
import { alterRole, applicationLogins, type Login } from './credentials.ts';
import { LeaseLost, LoginRefused, WorkloadNotFound, WorkloadNotReady } from './errors.ts';
import type { Parameters, RolloutStatus, Secrets, Session, Sessions, Workloads } from './ports.ts';
import { requireDrill } from './restore-database.ts';
import { addressOf, isAnswered, messageOf, sqlState, withSession } from './sql.ts';

export interface CutOverContext {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly control: Pick<ControlStore, 'readLease' | 'readActiveDatabase'>;
  readonly parameters: Pick<Parameters, 'write'>;
  readonly secrets: Secrets;
  readonly sessions: Sessions;
  readonly workloads: Pick<Workloads, 'restart'>;
  readonly announcer: Announcer;
}

interface CutOverInput {
  readonly incident: Incident;
  readonly plan: RestorePlan;
  readonly candidate: Candidate;
}

export async function cutOver(
  { incident, plan, candidate }: CutOverInput,
  context: CutOverContext,
): Promise<StepResult<{ application: 'canary' }>> {
  requireDrill(incident);
  const { settings, clock, parameters, secrets, sessions, workloads, announcer } = context;
  await requireLease(incident, plan, context.control);
  const { address, port } = candidate;
  await parameters.write(settings.canary.databaseEndpointParameter, JSON.stringify({ address, port }));
  const [master, logins] = await Promise.all([
    secrets.credentials(settings.database.masterSecretName),
    applicationLogins(settings, secrets),
  ]);
  await withSession(sessions, addressOf(candidate), master, async (session) => {
    for (const { username } of logins) await alterRole(session, username, 'login');
  });
  const transactions: string[] = [];
  for (const login of logins) transactions.push(await proveWrite(sessions, candidate, login));
  await workloads.restart(settings.canary.deployment, clock.now().toISOString());
  const roles = logins.map((login) => login.username);
  await announcer.announce(incident, {
    kind: 'milestone',
    headline: 'The canary of the application moves to the restored database',
    lines: [`Database: ${candidate.identifier}, as of ${plan.restorePoint}`, 'Production is not touched.'],
  });
  return {
    output: { application: 'canary' },
    summary: `canary cut over to ${candidate.identifier}; ${roles.join(', ')} can log in and write`,
    facts: { roles, transactions, endpointParameter: settings.canary.databaseEndpointParameter },
  };
}

/** The lease is this execution's and production is where the plan found it. */
async function requireLease(incident: Incident, plan: RestorePlan, control: CutOverContext['control']): Promise<void> {
  const [lease, active] = await Promise.all([control.readLease(), control.readActiveDatabase()]);
  if (lease?.executionArn !== incident.executionArn || lease.incidentId !== incident.id)
    throw LeaseLost(`The lease is held by ${lease?.incidentId ?? 'nobody'}, not by ${incident.id}.`);
  if (active?.epoch !== plan.epoch)
    throw LeaseLost(`The active database is at epoch ${active?.epoch ?? 'none'}; the plan was made at ${plan.epoch}.`);
}

/**
 * A transaction with an id of its own that PostgreSQL reports committed is a write, whatever the role may touch; that
 * the application's own rows land here is proven by ValidateApplication.
 */
async function proveWrite(sessions: Sessions, candidate: Candidate, login: Login): Promise<string> {
  const prove = async (session: Session) => {
    const [begun] = await session.query(
      "select pg_current_xact_id()::text as xid, current_setting('transaction_read_only') as read_only",
    );
    const [ended] = await session.query('select pg_xact_status($1::xid8) as status', [begun?.xid]);
    if (begun?.read_only !== 'off' || ended?.status !== 'committed' || begun.xid == null)
      throw LoginRefused(`${login.username} logs in to ${candidate.identifier} and cannot write.`);
    return begun.xid;
  };
  return withSession(sessions, addressOf(candidate), login, prove).catch((cause: unknown) => {
    if (sqlState(cause) === undefined || !isAnswered(cause)) throw cause;
    throw LoginRefused(`${login.username} cannot use ${candidate.identifier}: ${messageOf(cause)}`, { cause });
  });
}

export interface AwaitWorkloadContext {
  readonly settings: Settings;
  readonly workloads: Pick<Workloads, 'status'>;
}

export async function awaitWorkload(
  _input: { incident: Incident },
  { settings, workloads }: AwaitWorkloadContext,
): Promise<StepResult<Record<string, never>>> {
  const { deployment } = settings.canary;
  const name = `${deployment.namespace}/${deployment.name}`;
  const status = await workloads.status(deployment);
  if (status === undefined) throw WorkloadNotFound(`${deployment.cluster} has no deployment ${name}.`);
  const missing = missingFromRollout(status);
  if (missing !== undefined) throw WorkloadNotReady(`${name}: ${missing}.`, { details: { ...status } });
  return {
    output: {},
    summary: `${name} is rolled out: ${status.available} of ${status.desired} available`,
    facts: { ...status },
  };
}

/** What `kubectl rollout status` waits for, in its order; undefined once the rollout is complete. */
export function missingFromRollout(status: RolloutStatus): string | undefined {
  const { generation, observedGeneration, desired, total, updated, available } = status;
  if (observedGeneration < generation) return 'the restart has not been observed yet';
  if (desired === 0) return 'it is scaled to zero';
  if (updated < desired) return `${updated} of ${desired} pods are new`;
  if (total > updated) return `${total - updated} old pods are still there`;
  if (available < updated) return `${available} of ${updated} new pods are available`;
  return undefined;
}
