/** The first state of a recovery by builds, of the cluster or of configuration: refuses what cannot work before anything is touched. It only reads. */
import {
  type AcceptRequestContext,
  begunBy,
  deferScheduledDrill,
  refuseRepeated,
  refuseSecond,
  skipScheduledDrill,
  takenUpAgain,
} from '../incident/accept-request.ts';
import type { ActiveDatabase, Execution, Incident, StartRequest } from '../incident/contracts.ts';
import { ActiveDatabaseUnknown } from '../incident/errors.ts';
import { requestKey } from '../incident/identifiers.ts';
import { invalidRequest, parseRequest } from '../incident/parse-request.ts';
import { findRetried } from '../incident/retry.ts';
import { whereOf } from './assess-cluster.ts';
import type { Where } from './contracts.ts';

export type AcceptClusterContext = Omit<AcceptRequestContext, 'databases' | 'dumps'>;

/** What differs between the scenarios that builds recover. */
export interface Concern {
  readonly scenario: Extract<Incident['scenario'], 'cluster' | 'configuration'>;
  /** Throws InvalidRequest for what this scenario has no use for. */
  readonly refuse: (request: StartRequest) => void;
  /** What is recovered, where production is in that Region; throws InvalidRequest. */
  readonly target: (request: StartRequest, region: string, context: AcceptClusterContext) => string;
}

const cluster: Concern = { scenario: 'cluster', refuse: refuseRestorePoint, target: requireTarget };

export interface Accepted {
  readonly incident: Incident;
  readonly where: Where;
}
interface Asked {
  readonly request: unknown;
  readonly execution: Execution;
}

export const acceptClusterRequest = async (asked: Asked, context: AcceptClusterContext): Promise<Accepted> =>
  (await acceptByBuilds(cluster, asked, context)).accepted;

/**
 * Returns the incident that the rest of the recovery carries. Throws InvalidRequest, DuplicateRequest, RecoveryInProgress,
 * DrillElsewhere, DrillDeferred or ActiveDatabaseUnknown.
 */
export async function acceptByBuilds(
  { scenario, refuse, target: targetOf }: Concern,
  { request: raw, execution }: Asked,
  context: AcceptClusterContext,
): Promise<{ readonly accepted: Accepted; readonly active: ActiveDatabase }> {
  const { settings, here, clock, control } = context;
  const { environment, approval } = settings;
  const now = clock.now().toISOString();
  const request = parseRequest(raw, { environment, now, mustNameStarter: !approval.starterMayApprove });
  refuse(request);
  const retried =
    request.incident === undefined ? undefined : await findRetried(request.incident, request, { ...context, scenario });
  const active = await control.readActiveDatabase();
  skipScheduledDrill(request, active, here);
  const key = requestKey(request, execution.arn);
  await refuseRepeated(key, request, execution, context);
  await refuseSecond(request, execution, context);
  await deferScheduledDrill(request, context);
  // Where production's database is, its application runs, and so its cluster.
  if (!active) throw ActiveDatabaseUnknown(`No active database is registered in ${environment}`);
  const target = targetOf(request, active.region, context);
  const where = whereOf(request.mode, settings, here);
  const incident = retried
    ? { ...takenUpAgain(retried, request, execution), waiver: request.waiver }
    : begunBy(request, execution, { settings, here, scenario, target });
  return { accepted: { where, incident }, active };
}

function refuseRestorePoint({ restoreTo, scope }: StartRequest): void {
  if (restoreTo === 'latest' && scope === undefined) return;
  const [field, value] = scope === undefined ? ['restoreTo', restoreTo] : ['scope', scope];
  throw invalidRequest([
    {
      field: String(field),
      value,
      problem: 'is of databases, and this recovers a cluster',
      fix: 'Leave it out, or start database-recovery.',
    },
  ]);
}

function requireTarget(
  { mode, target }: StartRequest,
  region: string,
  { settings, here }: AcceptClusterContext,
): string {
  const { cluster } = whereOf(mode, settings, here).blueprint;
  const refuse = (problem: string, fix: string) => invalidRequest([{ field: 'target', value: target, problem, fix }]);
  if (region !== here.region)
    throw refuse(`is not in ${here.region}`, `Production is in ${region}: start the state machine there.`);
  if (target !== undefined && target !== cluster)
    throw refuse('is another cluster than this machine’s', `Leave it out to mean ${cluster}.`);
  return cluster;
}
