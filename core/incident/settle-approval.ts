/** The state that asked a person answers nothing itself: what became of its question is put on the timeline at the end. */
import type { Approval, Failure, IncidentRecord, StepRecord } from './contracts.ts';
import { ApprovalTimedOut } from './errors.ts';
import { asOption, isBefore } from './moments.ts';
import type { Approvals, Clock, IncidentStore } from './ports.ts';

interface SettleContext {
  readonly clock: Clock;
  readonly approvals: Pick<Approvals, 'read'>;
  readonly incidents: Pick<IncidentStore, 'recordStep'>;
}

/** The timeline with the decision on it. Where the question cannot be read, the step stays `waiting`: nothing is made up. */
export async function settleApproval(
  { incident }: IncidentRecord,
  timeline: readonly StepRecord[],
  failure: Failure | undefined,
  { clock, approvals, incidents }: SettleContext,
): Promise<StepRecord[]> {
  const asked = timeline.find(({ step, status }) => step === 'RequestApproval' && status === 'waiting');
  const approval = asked && (await approvals.read(incident.id).catch(() => undefined));
  if (!asked || approval?.executionArn !== incident.executionArn) return [...timeline];
  const settled: StepRecord = { ...asked, ...becameOf(approval, failure, clock.now().toISOString()) };
  const { decision } = approval;
  if (decision) settled.facts = { ...asked.facts, decision };
  await incidents.recordStep(settled);
  return timeline.map((each) => (each === asked ? settled : each));
}

function becameOf(
  { decision, expiresAt }: Approval,
  failure: Failure | undefined,
  now: string,
): Pick<StepRecord, 'status' | 'finishedAt' | 'summary' | 'error'> {
  if (decision) {
    const { approved, by, reason, at, restoreTo } = decision;
    const chosen = restoreTo === undefined ? '' : `, with restore point ${asOption(restoreTo)}`;
    return {
      status: 'succeeded',
      finishedAt: at,
      summary: `${approved ? 'approved' : 'declined'} by ${by}: "${reason}"${chosen}`,
    };
  }
  const { name, next } = ApprovalTimedOut.definition;
  // The machine's time began a moment before the question was put: it may be up before `expiresAt`.
  if (failure?.Error !== name && isBefore(now, expiresAt))
    return { status: 'failed', finishedAt: now, summary: 'the execution ended before anybody had answered' };
  const finishedAt = isBefore(now, expiresAt) ? now : expiresAt;
  const summary = `nobody answered by ${finishedAt}`;
  return { status: 'failed', finishedAt, summary, error: { name, message: summary, next } };
}
