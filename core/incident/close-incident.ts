/** The last state of every recovery: evidence, the outcome to people, and the lease released whatever happens. */
import { outcomeForCustomers } from '../communications/customers.ts';
import type { Metrics } from '../database/ports.ts';
import { readFailure } from '../errors.ts';
import { debtInWords, mayBeFenced, notUndone } from '../evidence/aftermath.ts';
import { achievedRpoSeconds, compileReport } from '../evidence/compile-report.ts';
import type { Report } from '../evidence/contracts.ts';
import { hasTrafficMoved } from '../evidence/offer.ts';
import type { EvidenceStore } from '../evidence/ports.ts';
import { renderReport } from '../evidence/render-html.ts';
import type { GreenDrill } from '../readiness/contracts.ts';
import type { GreenDrills } from '../readiness/ports.ts';
import type { StepResult } from '../step.ts';
import {
  type Failure,
  type Incident,
  type IncidentRecord,
  recordVersion,
  type StepRecord,
  type TrendPoint,
} from './contracts.ts';
import { IncidentUnknown } from './errors.ts';
import { isCopyDeleted, unfenceSource } from './identifiers.ts';
import { formatSeconds } from './moments.ts';
import type { Announcer, Approvals, Clock, Compensations, ControlStore, IncidentStore } from './ports.ts';
import { settleApproval } from './settle-approval.ts';

export interface CloseIncidentContext {
  readonly clock: Clock;
  readonly control: Pick<ControlStore, 'releaseLease'>;
  readonly incidents: Pick<
    IncidentStore,
    'read' | 'close' | 'steps' | 'recordStep' | 'messages' | 'trend' | 'recordTrend'
  >;
  readonly approvals: Pick<Approvals, 'read'>;
  readonly compensations: Pick<Compensations, 'last'>;
  readonly evidence: EvidenceStore;
  readonly announcer: Announcer;
  readonly metrics: Metrics;
  readonly drills: Pick<GreenDrills, 'record'>;
  /** What is deployed now. */
  readonly release: string;
}

export interface Closing {
  readonly incident: Incident;
  readonly failure?: Failure | undefined;
  /** The name of this state, which is still running and so no evidence yet. */
  readonly step?: string;
}

export interface Closed {
  readonly status: 'closed' | 'failed';
  /** Absent where the incident was never opened. */
  readonly reports?: IncidentRecord['reports'];
  readonly achieved: IncidentRecord['achieved'];
}

/** How many incidents the trend shows, this one included. */
const trendLength = 12;

/** Throws where the evidence could not be kept: the incident then stays open for clean-up-stopped, with the lease released. */
export async function closeIncident(closing: Closing, context: CloseIncidentContext): Promise<StepResult<Closed>> {
  try {
    return await close(closing, context);
  } finally {
    await context.control.releaseLease(closing.incident.executionArn);
  }
}

async function close(closing: Closing, context: CloseIncidentContext): Promise<StepResult<Closed>> {
  const { incident, failure, step } = closing;
  const { clock, incidents, evidence, announcer, metrics } = context;
  const [record, steps, messages, takesWrites, trend] = await Promise.all([
    incidents.read(incident.id),
    incidents.steps(incident.id),
    incidents.messages(incident.id),
    isFenceLifted(closing, context),
    incidents.trend(incident.scenario, incident.mode, trendLength),
  ]);
  // Another execution's incident is its own to close.
  if (record?.incident.executionArn !== incident.executionArn) return refuse(incident, failure, announcer);
  // An earlier attempt closed it, and its answer was lost: people are told once.
  if (record.status !== 'open') return resultOf(record);
  const own = steps.filter(
    (each) => each.step !== step && (each.execution ?? incident.executionArn) === incident.executionArn,
  );
  const timeline = await settleApproval(record, own, failure, context);
  // The report of the execution that a retry takes over from stays beside this one.
  const retry = incident.retryOf ? `/${incident.executionArn.split(':').at(-1)}` : '';
  const folder = `${incident.scenario}/${incident.id}${retry}`;
  const keys = { json: `${folder}/report.json`, html: `${folder}/report.html` };
  const closedAt = clock.now().toISOString();
  const rpoSeconds = record.achieved.rpoSeconds ?? achievedRpoSeconds(timeline);
  const closed: IncidentRecord = {
    ...record,
    status: failure ? 'failed' : 'closed',
    closedAt,
    achieved: { ...record.achieved, ...(rpoSeconds === undefined ? {} : { rpoSeconds }) },
    reports: { json: evidence.location(keys.json), html: evidence.location(keys.html) },
  };
  const point = trendPoint(closed, closedAt);
  const report = compileReport({
    generatedAt: closedAt,
    record: closed,
    timeline,
    messages,
    earlier: trend.filter(({ incidentId }) => incidentId !== incident.id).slice(0, trendLength - 1),
    point,
    failure,
  });
  await evidence.put(keys.json, `${JSON.stringify(report, undefined, 2)}\n`, 'application/json');
  await evidence.put(keys.html, renderReport(report), 'text/html; charset=utf-8');
  await incidents.recordTrend(point);
  if (point.succeeded && point.mode === 'drill')
    await context.drills.record(greenDrill(point, timeline, context.release));
  const { status, achieved, reports } = closed;
  const isMine = await incidents.close(incident, { status, closedAt, achieved, reports, outcome: report.outcome });
  // The sweep and the event of one execution may meet here: people are told once.
  if (!isMine) return resultOf({ ...closed, outcome: report.outcome });
  const recoveredAt = isServing(incident, failure, timeline) ? record.recoveredAt : undefined;
  const ended = { recoveredAt, takesWrites };
  const customers = outcomeForCustomers(ended, timeline, messages);
  await announcer.announce(incident, { ...announcementOf(report, step && leftBehind(incident, timeline)), customers });
  await metrics.put(metricsOf(closed)).catch(() => {
    // Metrics are for dashboards; the record and the report have the numbers.
  });
  return resultOf({ ...closed, outcome: report.outcome });
}

function resultOf({ status, reports, achieved, outcome = 'closed' }: IncidentRecord): StepResult<Closed> {
  return {
    output: { status: status === 'closed' ? 'closed' : 'failed', reports, achieved },
    summary: outcome,
    facts: { ...achieved },
  };
}

/** Opening was refused (DuplicateRequest): there is no record to close, but people are told. */
async function refuse(
  incident: Incident,
  failure: Failure | undefined,
  announcer: Announcer,
): Promise<StepResult<Closed>> {
  if (!failure) throw IncidentUnknown(`${incident.id} has no record`);
  const { name, message, next } = readFailure(failure, incident);
  await announcer.announce(incident, {
    kind: 'refused',
    headline: `The incident was not opened: ${name}`,
    lines: [message],
    next,
  });
  return { output: { status: 'failed', achieved: {} }, summary: `Never opened: ${message}` };
}

function trendPoint({ incident, achieved, status }: IncidentRecord, closedAt: string): TrendPoint {
  return {
    version: recordVersion,
    incidentId: incident.id,
    scenario: incident.scenario,
    mode: incident.mode,
    closedAt,
    succeeded: status === 'closed',
    ...achieved,
  };
}

/** A drill rehearsed what was deployed from its beginning to its end. */
function greenDrill(
  { scenario, incidentId, closedAt }: TrendPoint,
  timeline: readonly StepRecord[],
  release: string,
): GreenDrill {
  const begunWith = timeline.find(({ step }) => step === 'OpenIncident')?.facts.release;
  return {
    version: recordVersion,
    scenario,
    incidentId,
    closedAt,
    ...(begunWith === release ? { release } : {}),
  };
}

/**
 * A fence that could not be undone keeps the application down, and a drill's copy holds production data and costs money:
 * that is what people must read first.
 */
function leftBehind(incident: Incident, timeline: readonly StepRecord[]): string | undefined {
  const fence = timeline.find(({ step, status }) => step === 'Compensate' && status !== 'succeeded');
  if (fence) {
    const byHand = ' By hand, as the master of the active database: ALTER ROLE <application role> LOGIN.';
    return `${notUndone(fence)}. The clean-up tries again.${mayBeFenced(fence) ? byHand : ''}`;
  }
  const undone = timeline.find(
    ({ step, status }) =>
      (step === 'RemoveDrill' || step === 'TearDown' || step === 'AwaitTornDown') && status !== 'succeeded',
  );
  if (!isCopyDeleted(incident) || undone === undefined) return undefined;
  return `THE COPY MAY STILL BE THERE: ${undone.step} ended with "${undone.error?.message ?? undone.summary}". The clean-up tries again until it is gone.`;
}

function announcementOf(
  { outcome, objectives, failure, record, checklist, terraformDebt }: Report,
  undone: string | undefined,
) {
  const results = objectives.map(
    ({ name, achievedSeconds, objectiveSeconds, met }) =>
      `${name}: ${achievedSeconds === undefined ? 'not measured' : formatSeconds(achievedSeconds)}, objective ${formatSeconds(objectiveSeconds)} (${met})`,
  );
  const open = checklist.filter(({ state }) => state === 'open' || state === 'not-done');
  return {
    kind: failure ? ('failed' as const) : ('resolved' as const),
    headline: outcome,
    lines: [
      ...(undone === undefined ? [] : [undone]),
      ...(failure ? [failure.message] : []),
      ...results,
      ...(terraformDebt ? debtInWords(terraformDebt).map(({ what, todo }) => `Terraform debt, ${what}: ${todo}`) : []),
      `Report: ${record.reports?.html}`,
      `Still to do: ${open.map(({ item }) => item).join('; ')}`,
    ],
    ...(failure ? { next: failure.next } : {}),
  };
}

/** Whether a fence that the failed recovery had set is known to be lifted: by this execution, or by the clean-up of it. */
async function isFenceLifted(
  { incident, failure }: Closing,
  { compensations }: CloseIncidentContext,
): Promise<boolean> {
  if (failure === undefined) return false;
  // Where that cannot be read, customers wait for the next news; the incident is closed all the same.
  const last = await compensations.last(incident.id, unfenceSource).catch(() => undefined);
  return last?.takesWrites ?? false;
}

/** A move of the Region is healthy before clients are led to it: until they are, nothing works again for customers. */
const isServing = ({ scenario }: Incident, failure: Failure | undefined, timeline: readonly StepRecord[]): boolean =>
  scenario !== 'region' || failure === undefined || hasTrafficMoved(timeline);

function metricsOf({ incident, status, achieved }: IncidentRecord): Parameters<Metrics['put']>[0] {
  const name = `${incident.mode === 'drill' ? 'Drill' : 'Recovery'}${status === 'closed' ? 'Succeeded' : 'Failed'}`;
  const seconds = { RtoSeconds: achieved.rtoSeconds, RpoSeconds: achieved.rpoSeconds };
  return [
    { name, value: 1, unit: 'Count' },
    ...Object.entries(seconds).flatMap(([metric, value]) =>
      value === undefined ? [] : [{ name: metric, value, unit: 'Seconds' as const }],
    ),
  ];
}
