/** A draft of the post-incident review: what the records show, and the questions that they raise. People finish it. */
import { formatSeconds } from '../incident/moments.ts';
import type { Findings } from './checklist.ts';
import type { Review } from './contracts.ts';

export function draftReview({ record, failure, objectives, timeline, messages }: Findings): Review {
  const { incident } = record;
  const retried = timeline.filter(({ attempts, status, piece }) => attempts > 1 && status === 'failed' && !piece);
  const undelivered = messages.filter((message) => message.failure !== undefined);
  const of = (met: string) => objectives.filter((objective) => objective.met === met);
  const wentBadly = [
    ...(failure ? [`${failure.step ?? 'The execution'} failed with ${failure.name}: ${failure.message}`] : []),
    ...of('missed').map(
      ({ name, achievedSeconds = 0, objectiveSeconds }) =>
        `${name} missed: ${formatSeconds(achievedSeconds)} instead of ${formatSeconds(objectiveSeconds)}`,
    ),
    ...of('unknown').map(({ name }) => `${name} unknown: nothing measured it`),
    ...retried.map(({ step, attempts }) => `${step} failed after ${attempts} attempts`),
    ...undelivered.map(({ kind, at, failure: why }) => `The message "${kind}" at ${at} was not delivered: ${why}`),
  ];
  return {
    summary: `${incident.mode === 'drill' ? 'Drill' : 'Recovery'} of scenario ${incident.scenario} on ${incident.target}, started because: ${incident.reason}.`,
    wentWell: [
      ...of('met').map(
        ({ name, achievedSeconds = 0, objectiveSeconds }) =>
          `${name} met: ${formatSeconds(achievedSeconds)} of ${formatSeconds(objectiveSeconds)}`,
      ),
      ...(failure ? [] : ['Every step succeeded.']),
      ...(messages.length > 0 && undelivered.length === 0 ? ['Every message was delivered.'] : []),
    ],
    wentBadly,
    questions: [
      ...(failure ? [`Would this failure have stopped a real recovery? What it takes next: ${failure.next}`] : []),
      ...(of('missed').length > 0
        ? ['Which step of the critical path would bring the objective back within reach?']
        : []),
      'Was anything done by hand that the state machine should do?',
      'What in the plan was wrong, missing or out of date?',
    ],
  };
}
