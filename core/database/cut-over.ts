/** CutOver: the application moves to the restored database, in a drill its canary only. */
import type { Debts } from '../configuration/ports.ts';
import { type ActiveDatabase, type Incident, recordVersion } from '../incident/contracts.ts';
import { unfenceSource } from '../incident/identifiers.ts';
import type { Announcer, Clock, Compensations, ControlStore } from '../incident/ports.ts';
import type { Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import type { Candidate, RestorePlan } from './contracts.ts';
import type { Login } from './credentials.ts';
import { DatabaseNotReady, LeaseLost } from './errors.ts';
import { expiryIn } from './expiry.ts';
import { fenceLogins, openTo, proveRefused, proveWrite } from './fence.ts';
import { targetOfSource } from './fence-source.ts';
import type { Baselines, Databases, Parameters, Secrets, Sessions, Workloads } from './ports.ts';
import { lineageOf, restoreOf } from './restore-database.ts';
import { answerOf, judgeSource } from './source.ts';
import { leftInWords, type SourceLeft } from './source-left.ts';
import { withSession } from './sql.ts';
import { targetOf } from './target.ts';
import { restoreEndpoint } from './undo.ts';

export interface CutOverContext {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly control: Pick<ControlStore, 'readLease' | 'readActiveDatabase' | 'advanceActiveDatabase'>;
  readonly databases: Pick<Databases, 'find'>;
  readonly baselines: Pick<Baselines, 'latest' | 'atOrBefore' | 'record'>;
  readonly compensations: Pick<Compensations, 'register' | 'open'>;
  readonly debts: Pick<Debts, 'open'>;
  readonly parameters: Pick<Parameters, 'read' | 'write'>;
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

/** Where a step of it is repeated, what the earlier attempt did is found done. */
export async function cutOver(
  input: CutOverInput,
  context: CutOverContext,
): Promise<StepResult<{ application: 'canary' | 'production' }>> {
  const { incident, plan, candidate } = input;
  const { settings, clock, control, parameters, secrets, sessions, workloads, announcer } = context;
  const { restorePoint } = restoreOf(plan);
  const isDrill = incident.mode === 'drill';
  const target = targetOf(incident, settings);
  const active = await requireLease(input, control);
  const { master, logins } = await fenceLogins(settings, secrets);
  const left =
    !isDrill && active.resourceId !== candidate.resourceId
      ? await makeActive(input, active, logins, context)
      : undefined;
  const roles = logins.map((login) => login.username);
  const region = plan.failover?.to ?? active.region;
  // A drill's copy runs no scheduled jobs: they could reach beyond it. Nor does anybody renew its date.
  await withSession(sessions, candidate, master, (session) =>
    openTo({ session, sessions, target: candidate, master }, roles, {
      resumeJobs: !isDrill,
      expiry: isDrill ? undefined : expiryIn(settings, region, clock.now().toISOString()),
    }),
  );
  const transactions: string[] = [];
  for (const login of logins) transactions.push(await proveWrite(sessions, candidate, login));
  // Whatever fails from here on, production is open, and a retry leads the application to it (docs/decisions/0037).
  if (!isDrill) await carryBaseline(input, context);
  const { address, port } = candidate;
  await parameters.write(target.databaseEndpointParameter, JSON.stringify({ address, port }));
  await workloads.restart(target.deployment, clock.now().toISOString());
  const application = isDrill ? 'canary' : 'production';
  await announcer.announce(incident, {
    kind: 'milestone',
    headline: isDrill
      ? 'The canary of the application moves to the restored database'
      : 'The application moves to the restored database',
    lines: [
      `Database: ${candidate.identifier}, as of ${restorePoint}`,
      isDrill ? 'Production is not touched.' : leftInWords(plan.source.identifier, left),
    ],
  });
  return {
    output: { application },
    summary: `${application} cut over to ${candidate.identifier}; ${roles.join(', ')} can log in and write`,
    facts: {
      roles,
      transactions,
      endpointParameter: target.databaseEndpointParameter,
      ...(isDrill
        ? {}
        : {
            epoch: plan.epoch + 1,
            terraformDebt: terraformDebt(input, target.databaseEndpointParameter),
            ...(left === undefined ? {} : { sourceLeft: left }),
          }),
    },
  };
}

/** What Terraform still believes, and would put back: tracked until its state is imported and its plan is empty. */
const terraformDebt = ({ plan, candidate }: CutOverInput, parameter: string) => ({
  import: candidate.identifier,
  old: plan.source.identifier,
  parameter,
});

/** The lease is this execution's, and production is where the plan found it, or where this very plan brought it. */
async function requireLease(
  { incident, plan, candidate }: CutOverInput,
  control: CutOverContext['control'],
): Promise<ActiveDatabase> {
  const [lease, active] = await Promise.all([control.readLease(), control.readActiveDatabase()]);
  if (lease?.executionArn !== incident.executionArn || lease.incidentId !== incident.id)
    throw LeaseLost(`The lease is held by ${lease?.incidentId ?? 'nobody'}, not by ${incident.id}.`);
  const isOurs = active?.resourceId === candidate.resourceId && active.epoch === plan.epoch + 1;
  if (active !== undefined && (active.epoch === plan.epoch || (incident.mode === 'recovery' && isOurs))) return active;
  throw LeaseLost(`The active database is at epoch ${active?.epoch ?? 'none'}; the plan was made at ${plan.epoch}.`);
}

/**
 * The one irreversible act: from here on the restored database is production. Everything that could speak against it has
 * been asked by now, the source last of all.
 */
async function makeActive(
  { incident, plan, candidate }: CutOverInput,
  active: ActiveDatabase,
  logins: readonly Login[],
  context: CutOverContext,
): Promise<SourceLeft> {
  const { settings, clock, control, compensations, debts, parameters } = context;
  const { deployment, databaseEndpointParameter: parameter } = targetOf(incident, settings);
  await compensations.register(incident.id, restoreEndpoint, {
    resourceId: active.resourceId,
    epoch: active.epoch,
    parameter,
    value: await parameters.read(parameter),
    deployment,
  });
  const left = await requireSourceClosed({ incident, plan }, logins, context);
  const now = clock.now().toISOString();
  const { identifier, resourceId, address, port } = candidate;
  const region = plan.failover?.to ?? active.region;
  const epoch = plan.epoch + 1;
  // Before the act: it is open only where this instance is production (core/configuration/debt.ts).
  const { import: instance, old } = terraformDebt({ incident, plan, candidate }, parameter);
  const debt = { resourceId, import: instance, region, old, parameter, incidentId: incident.id, since: now };
  await debts.open({ version: recordVersion, ...debt });
  const record = { version: recordVersion, identifier, resourceId, region, address, port, epoch, since: now } as const;
  if (!(await control.advanceActiveDatabase(record, plan.epoch, incident.executionArn))) {
    const now = await control.readActiveDatabase();
    // The write was done and its answer lost.
    if (now?.resourceId !== resourceId || now.epoch !== epoch)
      throw LeaseLost(`The active database is ${now?.identifier} at epoch ${now?.epoch}; it was not moved.`);
  }
  return left;
}

/**
 * What was true at the restore point is true of the new database, from there on: its own recovery may be to a moment before
 * it became production. What the sentinel saw of the old one later is not.
 */
async function carryBaseline(
  { plan, candidate: { resourceId } }: CutOverInput,
  { baselines }: CutOverContext,
): Promise<void> {
  const { restorePoint } = restoreOf(plan);
  if ((await baselines.latest(resourceId))?.resourceId === resourceId) return;
  const known = await baselines.atOrBefore(restorePoint, lineageOf(plan));
  if (known !== undefined) await baselines.record({ ...known, at: new Date(restorePoint).toISOString(), resourceId });
}

/** Fenced, proven once more; or gone. One that this incident fenced and that nobody listens on keeps its fence on disk. */
async function requireSourceClosed(
  { incident, plan }: Pick<CutOverInput, 'incident' | 'plan'>,
  logins: readonly Login[],
  { settings, sessions, databases, compensations }: CutOverContext,
): Promise<SourceLeft> {
  const target = targetOfSource(plan, settings);
  if (target === undefined) return 'gone';
  for (const login of logins) {
    try {
      await proveRefused(sessions, target, login);
    } catch (error) {
      if (!(error instanceof Error) || error.name !== DatabaseNotReady.definition.name) throw error;
      const answer = answerOf(error.cause);
      // A lost Region cannot be asked: the guard there fences what returns.
      if (plan.failover?.style === 'ungraceful') return 'unreached';
      const instance = await databases.find(plan.source.identifier);
      const same = instance?.resourceId === plan.source.resourceId ? instance : undefined;
      if (judgeSource(same, answer) === 'gone') return 'gone';
      const open = await compensations.open(incident.id);
      if (answer.kind === 'refuses' && open.some(({ name }) => name === unfenceSource)) return 'closed';
      throw error;
    }
  }
  return 'closed';
}
