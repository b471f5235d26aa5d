/** From the records of an incident to its report. Pure: what no record says is unknown, never assumed. */

import * as z from 'zod';
import { Repair } from '../database/contracts.ts';
import { readFailure } from '../errors.ts';
import type { Failure, IncidentRecord, MessageRecord, StepRecord, TrendPoint } from '../incident/contracts.ts';
import { ApprovalDeclined, ApprovalTimedOut } from '../incident/errors.ts';
import { restoresNoData } from '../incident/identifiers.ts';
import { formatSeconds, secondsBetween } from '../incident/moments.ts';
import { Verdict } from '../validation/contracts.ts';
import { aftermath, terraformDebt } from './aftermath.ts';
import { checklist } from './checklist.ts';
import {
  type ObjectiveResult,
  ParityResult,
  type Report,
  reportSchemaVersion,
  type ValidationResult,
} from './contracts.ts';
import { criticalPath, spans } from './critical-path.ts';
import { CheckedItem, describeFindings } from './describe-findings.ts';
import { hashChain } from './hash-chain.ts';
import { offer, wayOn } from './offer.ts';
import { draftReview } from './review.ts';

export interface Evidence {
  readonly generatedAt: string;
  readonly record: IncidentRecord;
  readonly timeline: readonly StepRecord[];
  readonly messages: readonly MessageRecord[];
  /** Newest first, without this incident. */
  readonly earlier: readonly TrendPoint[];
  /** This incident's own point. */
  readonly point: TrendPoint;
  readonly failure?: Failure | undefined;
}

export function compileReport({ generatedAt, record, earlier, point, failure: failed, ...evidence }: Evidence): Report {
  const timeline = [...evidence.timeline].sort(byStart);
  const messages = [...evidence.messages].sort((a, b) => (a.at < b.at ? -1 : 1));
  const failedStep = timeline.findLast(({ error }) => failed && error?.name === failed.Error);
  const failure = failed && {
    ...withOffer(readFailure(failed, record.incident), [
      offer(failed.Error, record.incident, timeline),
      wayOn(record.incident, timeline),
    ]),
    ...(failedStep ? { step: failedStep.step } : {}),
  };
  const objectives = objectiveResults(record);
  const clockStoppedAt = record.recoveredAt ?? record.closedAt ?? generatedAt;
  const debt = terraformDebt(timeline);
  const findings = { record, failure, objectives, timeline, messages, debt };
  return {
    schemaVersion: reportSchemaVersion,
    generatedAt,
    outcome: outcomeOf(record, objectives, failure, timeline),
    record,
    ...(failure ? { failure } : {}),
    objectives,
    criticalPath: criticalPath(spans(timeline, clockStoppedAt), record.incident.detectedAt, clockStoppedAt),
    validation: timeline.filter((each) => !isSuperseded(each, timeline)).flatMap(validationResult),
    parity: timeline.flatMap(parityResults),
    ...repairIn(timeline),
    ...(debt ? { terraformDebt: debt } : {}),
    checklist: checklist(findings),
    review: draftReview(findings),
    trend: [...earlier].reverse().concat(point),
    timeline,
    messages,
    chain: hashChain({ record, timeline, messages }),
  };
}

const withOffer = (failure: ReturnType<typeof readFailure>, offers: readonly string[]) => ({
  ...failure,
  next: [failure.next, ...offers].filter(Boolean).join(' '),
});

const byStart = (a: StepRecord, b: StepRecord) => {
  const [left, right] = [a, b].map(({ startedAt, step, piece = '' }) => `${startedAt} ${step} ${piece}`);
  return (left ?? '') < (right ?? '') ? -1 : 1;
};

/** Where the product found the achieved RPO, if the record does not have it yet. */
export function achievedRpoSeconds(timeline: readonly StepRecord[]): number | undefined {
  const measured = timeline.map(({ facts }) => facts.rpoSeconds).findLast((value) => typeof value === 'number');
  return typeof measured === 'number' ? measured : undefined;
}

function objectiveResults({ objectives, achieved, incident }: IncidentRecord): ObjectiveResult[] {
  const result = (
    name: ObjectiveResult['name'],
    objectiveSeconds: number,
    achievedSeconds: number | undefined,
    basis: string,
  ): ObjectiveResult => ({
    name,
    objectiveSeconds,
    ...(achievedSeconds === undefined ? {} : { achievedSeconds }),
    met: achievedSeconds === undefined ? 'unknown' : achievedSeconds <= objectiveSeconds ? 'met' : 'missed',
    basis,
  });
  return [
    result(
      'RTO',
      objectives.rtoSeconds,
      achieved.rtoSeconds,
      `from detection at ${incident.detectedAt} until the application had validated healthy`,
    ),
    result(
      'RPO',
      objectives.rpoSeconds,
      achieved.rpoSeconds,
      restoresNoData(incident)
        ? 'no data was restored: the database was there all the while'
        : `from the newest restored heartbeat, or the restore point where the copy holds all that its source wrote, to detection${incident.scope ? ', and of the repaired tables only' : ''}: an estimate, for only a ledger counts lost writes`,
    ),
  ];
}

function outcomeOf(
  { incident, status }: IncidentRecord,
  objectives: readonly ObjectiveResult[],
  failure: Report['failure'],
  timeline: readonly StepRecord[],
): string {
  const what = incident.mode === 'drill' ? 'The drill' : incident.scope ? 'The repair of tables' : 'The recovery';
  if (failure?.name === stopped && incident.mode === 'drill') return 'The drill was stopped';
  if (failure && incident.mode === 'recovery')
    return [failedRecovery(failure, what), aftermath(timeline)].filter(Boolean).join('; ');
  if (failure) return `${what} failed${failure.step ? ` in ${failure.step}` : ''}: ${failure.name}`;
  if (status === 'failed') return `${what} failed`;
  const missed = objectives.filter(({ met }) => met !== 'met');
  if (missed.length === 0) return `${what} succeeded within its objectives`;
  const list = missed.map(({ name, met, objectiveSeconds }) =>
    met === 'missed' ? `the ${name} of ${formatSeconds(objectiveSeconds)} was missed` : `the ${name} is unknown`,
  );
  return `${what} succeeded, but ${list.join(' and ')}`;
}

/** What clean-up-stopped calls the end of an execution that a person, or a real incident in the case of a drill, has stopped. */
const stopped = 'Execution.ABORTED';

function failedRecovery({ name, step }: NonNullable<Report['failure']>, what: string): string {
  if (name === ApprovalDeclined.definition.name) return `${what} was declined`;
  if (name === ApprovalTimedOut.definition.name) return `${what} was declined, for nobody answered in time`;
  if (name === stopped) return `${what} was stopped`;
  return `${what} failed${step ? ` in ${step}` : ''}: ${name}`;
}

/** What run-check leaves on the timeline for every piece. */
const PieceFacts = z.object({
  check: z.string(),
  verdict: Verdict,
  items: z.array(CheckedItem).default([]),
  /** How many smaller pieces it was split into, when its time was up. */
  remaining: z.number().default(0),
});

function validationResult({
  step,
  piece,
  facts,
  summary,
  startedAt,
  finishedAt,
  error,
}: StepRecord): ValidationResult[] {
  if (piece === undefined) return [];
  const told = PieceFacts.safeParse(facts);
  const seconds = finishedAt ? { seconds: secondsBetween(startedAt, finishedAt) } : {};
  // A check that fell over says nothing about the data.
  if (!told.success || error)
    return [{ step, check: piece, subject: '', verdict: 'unknown', reason: error?.message ?? summary, ...seconds }];
  const { check, verdict, items, remaining } = told.data;
  const split = remaining > 0 ? ` (split into ${remaining} smaller pieces)` : '';
  const found = describeFindings(check, items);
  const reason = verdict === 'passed' ? (found.reason ?? summary) : summary;
  return [{ step, check, subject: found.subject ?? piece, verdict, reason: reason + split, ...seconds }];
}

/**
 * A piece whose time was up was split and run again in smaller ones. Where the tier was judged to have passed, each of
 * those has passed, and the larger piece is no gap.
 */
function isSuperseded({ step, facts }: StepRecord, timeline: readonly StepRecord[]): boolean {
  if (typeof facts.remaining !== 'number' || facts.remaining === 0) return false;
  const judge = step.replace(/^Check/, 'Judge');
  // A judgement with reasons is one that asks for another round.
  const isFinal = (reasons: unknown) => !Array.isArray(reasons) || reasons.length === 0;
  return timeline.some((each) => each.step === judge && each.status === 'succeeded' && isFinal(each.facts.reasons));
}

function repairIn(timeline: readonly StepRecord[]): Pick<Report, 'repair'> {
  const told = timeline.find(({ step, status }) => step === 'RepairTables' && status === 'succeeded');
  const { data } = Repair.safeParse(told?.facts.repair);
  return data === undefined ? {} : { repair: data };
}

function parityResults({ facts }: StepRecord): ParityResult[] {
  return z.array(ParityResult).safeParse(facts.differences).data ?? [];
}
