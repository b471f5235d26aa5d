/**
 * EndTenure: strict fencing, and a primary that cannot be reached. Its tenure is renewed no more, and nothing is promoted
 * before it has fenced itself: two that take writes there never are.
 */
import type { RestorePlan } from '../database/contracts.ts';
import { LeaseLost } from '../database/errors.ts';
import { type RestoreTenure, restoreTenure } from '../database/undo.ts';
import type { Incident } from '../incident/contracts.ts';
import { endOf } from '../incident/end-of.ts';
import { formatSeconds, isBefore, secondsBetween } from '../incident/moments.ts';
import type { Clock, Compensations, ControlStore, Executions } from '../incident/ports.ts';
import type { Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import { FailoverDenied, TenureNotOver } from './errors.ts';
import type { Tenures } from './ports.ts';
import { failoverOf } from './promote-replica.ts';
import { refusesFrom } from './tenure.ts';

export interface EndTenureContext {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly control: Pick<ControlStore, 'readActiveDatabase'>;
  readonly tenures: Pick<Tenures, 'end'>;
  readonly compensations: Pick<Compensations, 'register'>;
  readonly executions: Pick<Executions, 'status'>;
}

/** Throws the retryable TenureNotOver, with the time that remains; LeaseLost where the plan is overtaken. */
export async function endTenure(
  { incident, plan }: { readonly incident: Incident; readonly plan: RestorePlan },
  { settings, clock, control, tenures, compensations, executions }: EndTenureContext,
): Promise<StepResult<{ over: string }>> {
  const { from: region, tenure: planned } = failoverOf(plan);
  const { fencing } = settings.region;
  if (fencing.mode !== 'strict' || planned === undefined) throw new Error('The plan is none of strict fencing.');
  const ended = await endOf(incident, executions);
  if (ended) throw LeaseLost(`${ended}: the tenure of ${region} is left as it is.`);
  const active = await control.readActiveDatabase();
  const { epoch, source, candidate } = plan;
  if (active?.resourceId !== source.resourceId || active.epoch !== epoch)
    throw LeaseLost(`The active database is at epoch ${active?.epoch ?? 'none'}; the plan was made at ${epoch}.`);
  const undoing: RestoreTenure = { resourceId: source.resourceId, epoch, candidate, incidentId: incident.id, region };
  await compensations.register(incident.id, restoreTenure, undoing);
  const tenure = await tenures.end({ region, epoch, endedBy: incident.executionArn });
  if (tenure === undefined) throw LeaseLost(`The tenure of ${region} was renewed for an epoch after ${epoch}.`);
  const now = clock.now().toISOString();
  const facts = { renewedAt: tenure.renewedAt, ...fencing };
  if (planned.refusesFrom === undefined)
    return {
      output: { over: now },
      summary: `the tenure of ${region} is ended; that it fences itself is not waited for, as was waived by name`,
      facts,
    };
  const from = refusesFrom({ strict: fencing, tenure, active });
  if (from === undefined) throw FailoverDenied(`No renewal of the tenure of ${region} was ever seen.`);
  if (isBefore(now, from))
    throw TenureNotOver(
      `${region} last reached this Region at ${tenure.renewedAt} and refuses writes by itself from ${from} on: ${formatSeconds(secondsBetween(now, from))} remain.`,
      { details: { ...facts, refusesFrom: from } },
    );
  return {
    output: { over: from },
    summary: `${region} has fenced itself by ${from}: it last reached this Region at ${tenure.renewedAt}, and its tenure is not renewed any more`,
    facts: { ...facts, refusesFrom: from },
  };
}
