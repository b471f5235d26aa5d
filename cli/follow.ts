/** Follows a recovery live: each step as it ends, the elapsed time against the objective, what happens now and next. */
import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeExecutionCommand, DescribeStateMachineForExecutionCommand } from '@aws-sdk/client-sfn';
import { currentStep, isQuestion } from '../core/communications/progress.ts';
import type { Incident, StepRecord } from '../core/incident/contracts.ts';
import type { Clients } from './clients.ts';
import { duration, type Screen } from './screen.ts';
import { readSteps } from './timeline.ts';

export interface Followed {
  readonly executionArn: string;
  readonly incidentId: string;
  readonly table: string;
  readonly mode: Incident['mode'];
  readonly rtoSeconds: number;
  /** When the RTO clock started (ISO text); without it, when the execution did. */
  readonly detectedAt?: string;
  readonly pollMs?: number;
  /** Told when the recovery asks a person, and when it goes on. */
  readonly question?: { asked(): Promise<void>; answered(): Promise<void> };
}

export interface Ended {
  readonly status: string;
  readonly error: string | undefined;
  readonly cause: string | undefined;
}

/** Resolves when the execution has ended. */
export async function follow(
  { executionArn, incidentId, table, mode, rtoSeconds, detectedAt, pollMs = 200, question }: Followed,
  { sfn, dynamodb }: Pick<Clients, 'sfn' | 'dynamodb'>,
  screen: Screen,
): Promise<Ended> {
  const { definition = '{}' } = await sfn.send(new DescribeStateMachineForExecutionCommand({ executionArn }));
  const order = stepOrder(JSON.parse(definition) as Machine, mode);
  const shown = new Set<string>();
  let asked: 'not yet' | 'asked' | 'answered' = 'not yet';
  for (;;) {
    const { status, error, cause, startDate } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    const steps = ofExecution(await readSteps(dynamodb, table, incidentId), executionArn);
    if (question) {
      const asks = isAsking(steps);
      if (asks && asked === 'not yet') {
        show(steps, shown, screen);
        screen.living('');
        await question.asked();
        asked = 'asked';
      } else if (!asks && asked === 'asked') {
        await question.answered();
        asked = 'answered';
      }
    }
    // Told by `answered`, in its place: on the timeline it is settled at the very end.
    show(asked === 'not yet' ? steps : steps.filter(({ step }) => step !== 'RequestApproval'), shown, screen);
    if (status !== 'RUNNING') {
      screen.living('');
      return { status: status ?? 'UNKNOWN', error, cause };
    }
    const since = detectedAt === undefined ? startDate?.getTime() : Date.parse(detectedAt);
    const elapsed = since === undefined ? 0 : (Date.now() - since) / 1000;
    screen.living(`  … ${duration(elapsed)} of ${duration(rtoSeconds)}${now(steps, order)}`);
    await sleep(pollMs);
  }
}

const isAsking = (steps: readonly StepRecord[]): boolean => {
  const current = currentStep(steps);
  return current !== undefined && isQuestion(current);
};

/** A retry begins the timeline anew: what the execution before it did is in that one’s report. */
export const ofExecution = (steps: readonly StepRecord[], executionArn: string): StepRecord[] =>
  steps.filter(({ execution = executionArn }) => execution === executionArn);

const secondsOf = (step: StepRecord) =>
  (Date.parse(step.finishedAt ?? step.startedAt) - Date.parse(step.startedAt)) / 1000;

function show(steps: readonly StepRecord[], shown: Set<string>, screen: Screen): void {
  for (const step of steps) {
    // A step that waits is retried; it is shown once it is through.
    if (step.piece !== undefined || step.finishedAt === undefined || step.status === 'waiting') continue;
    const key = `${step.step}#${step.attempts}`;
    if (shown.has(key)) continue;
    shown.add(key);
    const isGood = step.status === 'succeeded';
    const failure = step.error ? `${step.error.name}: ${step.error.message}` : step.summary;
    screen.item(isGood ? 'good' : 'bad', step.step, secondsOf(step), isGood ? step.summary : failure);
  }
}

/** ` · AwaitAvailable, then ConfigureDatabase · 4 of 10 checks · the status is creating` */
export function now(steps: readonly StepRecord[], order: readonly string[]): string {
  const current = currentStep(steps);
  const begun = new Set(steps.map(({ step }) => step));
  const last = order.findLastIndex((name) => begun.has(name));
  const next = order[last + 1];
  if (!current) return next === undefined ? '' : ` · next ${next}`;
  const pieces = steps.filter(({ step, piece }) => step === current.step && piece !== undefined);
  const done = pieces.filter(({ finishedAt }) => finishedAt !== undefined).length;
  return [
    ` · ${current.step}${next === undefined ? '' : `, then ${next}`}`,
    ...(pieces.length > 0 ? [`${done} of ${pieces.length} checks`] : []),
    ...(current.piece === undefined && current.summary ? [current.summary] : []),
  ].join(' · ');
}

interface Choice {
  readonly Condition?: string;
  readonly Next: string;
}
interface State {
  readonly Type: string;
  readonly Next?: string;
  readonly Default?: string;
  readonly Choices?: readonly Choice[];
  readonly Branches?: readonly Machine[];
  readonly ItemProcessor?: Machine;
}
interface Machine {
  readonly StartAt?: string;
  readonly States?: Readonly<Record<string, State>>;
}

/** What a recovery of production does beyond a drill: it asks, fences, keeps a snapshot, protects. */
const ofRecovery = /\$incident\.mode = 'recovery'|\$plan\.approval = 'ask'|\$decision\.approved/;

/** The names of a machine's tasks in the order of their usual run: a drill's choices take their default, failures are left out. */
export function stepOrder({ StartAt, States = {} }: Machine, mode: Incident['mode']): string[] {
  const names: string[] = [];
  const passed = new Set<string>();
  for (let name = StartAt; name !== undefined && !passed.has(name); ) {
    passed.add(name);
    const state: State | undefined = States[name];
    if (state?.Type === 'Task') names.push(name);
    for (const inner of [...(state?.Branches ?? []), ...(state?.ItemProcessor ? [state.ItemProcessor] : [])])
      names.push(...stepOrder(inner, mode));
    const taken =
      mode === 'recovery' ? state?.Choices?.find(({ Condition = '' }) => ofRecovery.test(Condition)) : undefined;
    name = taken?.Next ?? state?.Next ?? state?.Default;
  }
  return names;
}
