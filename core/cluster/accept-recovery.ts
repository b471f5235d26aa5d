/** The first state of a cluster recovery: refuses what cannot work before anything is touched. It only reads. */
import {
  type AcceptRequestContext,
  deferScheduledDrill,
  refuseRepeated,
  refuseSecond,
  skipScheduledDrill,
  takenUpAgain,
} from '../incident/accept-request.ts';
import type { Execution, Incident, StartRequest } from '../incident/contracts.ts';
import { ActiveDatabaseUnknown } from '../incident/errors.ts';
import { incidentId, requestKey } from '../incident/identifiers.ts';
import { invalidRequest, parseRequest } from '../incident/parse-request.ts';
import { findRetried } from '../incident/retry.ts';
import { whereOf } from './assess-cluster.ts';
import type { Where } from './contracts.ts';

export type AcceptClusterContext = Omit<AcceptRequestContext, 'databases' | 'dumps'>;

const scenario = 'cluster';

/**
 * Returns the incident that the rest of the recovery carries. Throws InvalidRequest, DuplicateRequest, RecoveryInProgress,
 * DrillElsewhere, DrillDeferred or ActiveDatabaseUnknown.
 */
export async function acceptClusterRequest(
  { request: raw, execution }: { request: unknown; execution: Execution },
  context: AcceptClusterContext,
): Promise<{ incident: Incident; where: Where }> {
  const { settings, here, clock, control } = context;
  const { environment, approval } = settings;
  const now = clock.now().toISOString();
  const request = parseRequest(raw, { environment, now, mustNameStarter: !approval.starterMayApprove });
  refuseRestorePoint(request);
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
  const target = requireTarget(request, active.region, context);
  const where = whereOf(request.mode, settings, here);
  if (retried)
    return {
      where,
      incident: {
        ...takenUpAgain(retried, request, execution),
        waiver: request.waiver,
      },
    };
  return {
    where,
    incident: {
      id: incidentId(request.mode, execution.startedAt, key),
      environment,
      scenario,
      mode: request.mode,
      reason: request.reason,
      trigger: request.trigger,
      region: here.region,
      executionArn: execution.arn,
      detectedAt: request.trigger.at ?? execution.startedAt,
      target,
      restoreTo: 'latest',
    },
  };
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
