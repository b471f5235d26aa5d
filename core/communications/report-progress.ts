/**
 * Every 30 minutes how the recovery that runs stands, and every 5 minutes a reminder while it waits for a person's answer:
 * the approval is shorter than the first update. Called by a schedule, more often than it has anything to tell.
 */
import { dr } from '../commands.ts';
import type { Approval, Incident, IncidentRecord, StepRecord } from '../incident/contracts.ts';
import { formatSeconds, isBefore, secondsBetween } from '../incident/moments.ts';
import type { Announcement, Announcer, Approvals, Clock, Executions, IncidentStore } from '../incident/ports.ts';
import { currentStep, drillsOfForecast, forecast, lastDone } from './progress.ts';

export interface ReportProgressContext {
  readonly clock: Clock;
  readonly incidents: Pick<IncidentStore, 'list' | 'steps' | 'trend' | 'claimMessage'>;
  readonly approvals: Pick<Approvals, 'read'>;
  readonly executions: Pick<Executions, 'status'>;
  readonly announcer: Announcer;
}

const updateSeconds = 30 * 60;
const reminderSeconds = 5 * 60;
/** How far back an open incident is looked for. */
const recentIncidents = 25;

/** Answers what was told of which incident. Throws, once all had their turn, where one of them could not be read. */
export async function reportProgress(context: ReportProgressContext): Promise<{ told: readonly string[] }> {
  const recent = await context.incidents.list(recentIncidents);
  const told: string[] = [];
  const failures: unknown[] = [];
  for (const record of recent.filter(({ status }) => status === 'open'))
    await tell(record, context).then(
      (name) => name !== undefined && told.push(`${record.incident.id} ${name}`),
      (error) => failures.push(error),
    );
  if (failures.length > 0) throw failures[0];
  return { told };
}

async function tell(record: IncidentRecord, context: ReportProgressContext): Promise<string | undefined> {
  const { clock, incidents, approvals, executions, announcer } = context;
  const { incident } = record;
  // What nobody works on has no progress: the clean-up closes it.
  if ((await executions.status(incident.executionArn)) !== 'RUNNING') return undefined;
  const now = clock.now().toISOString();
  const approval = incident.mode === 'recovery' ? await approvals.read(incident.id) : undefined;
  const own = approval?.executionArn === incident.executionArn ? approval : undefined;
  const asking = own && own.decision === undefined && isBefore(now, own.expiresAt) ? own : undefined;
  const steps = (await incidents.steps(incident.id)).filter(
    ({ execution = incident.executionArn }) => execution === incident.executionArn,
  );
  // A retry counts anew: its first step, not the incident's.
  const begunAt = steps.map(({ startedAt }) => startedAt).sort()[0] ?? record.openedAt;
  const [kind, from, every] = asking
    ? (['reminder', asking.askedAt, reminderSeconds] as const)
    : (['update', begunAt, updateSeconds] as const);
  const number = Math.floor(secondsBetween(from, now) / every);
  if (number < 1) return undefined;
  const name = `${kind}#${from}#${number}`;
  // Claimed before it is told: two schedules that meet tell it once, and the next one comes soon enough.
  if (!(await incidents.claimMessage(incident.id, name))) return undefined;
  await announcer.announce(
    incident,
    asking
      ? reminder(asking, incident, now)
      : update(record, steps, await expected(record, { begunAt, approval: own, now }, context), now),
  );
  return name;
}

async function expected(
  { incident, objectives, recoveredAt }: IncidentRecord,
  { begunAt, approval, now }: { begunAt: string; approval: Approval | undefined; now: string },
  { incidents }: Pick<ReportProgressContext, 'incidents'>,
): Promise<string> {
  if (recoveredAt) return `The application is healthy since ${recoveredAt}; what is left does not count for the RTO`;
  const drills = await incidents.trend(incident.scenario, 'drill', drillsOfForecast);
  const line = forecast(drills, {
    elapsedSeconds: secondsBetween(incident.detectedAt, now),
    workedSeconds: secondsBetween(approval?.decision?.at ?? begunAt, now),
    rtoSeconds: objectives.rtoSeconds,
  });
  return `Forecast: ${line}`;
}

function update({ incident }: IncidentRecord, steps: readonly StepRecord[], expectation: string, now: string) {
  const current = currentStep(steps);
  const last = lastDone(steps);
  return {
    kind: 'update',
    headline: `${incident.mode === 'drill' ? 'The drill' : 'The recovery'} goes on${current ? `: ${current.step}` : ''}`,
    lines: [
      current
        ? `Now: ${current.step}, for ${formatSeconds(secondsBetween(current.startedAt, now))}: ${current.summary}`
        : 'Now: between two steps',
      ...(last ? [`Before: ${last.step}: ${last.summary}`] : []),
      expectation,
    ],
    next: `Nothing to do: it goes on by itself. To watch it: ${dr(`watch ${incident.id}`, incident.environment)}`,
  } satisfies Announcement;
}

function reminder({ incidentId, expiresAt, plan }: Approval, { environment }: Incident, now: string) {
  return {
    kind: 'approval-wanted',
    headline: `Reminder: approve the recovery of ${plan.source}?`,
    lines: [
      ...plan.damage.map((found) => `Damaged: ${found}`),
      ...(plan.changes ?? []),
      ...(plan.changes
        ? []
        : [
            plan.restorePoint
              ? `Restore point: ${plan.restorePoint}, ${formatSeconds(plan.estimatedLossSeconds)} of writes before it was asked`
              : 'Restore point: YOU CHOOSE, for no sound look bounds the damage',
          ]),
      `Nobody has answered yet. Without an answer by ${expiresAt}, in ${formatSeconds(secondsBetween(now, expiresAt))}, the recovery is declined`,
    ],
    next: [
      `${dr(`approve ${incidentId}`, environment)} --reason "…"${plan.restorePoint || plan.changes ? '' : ' --restore-to …'}`,
      `${dr(`decline ${incidentId}`, environment)} --reason "…"`,
    ].join('; '),
  } satisfies Announcement;
}
