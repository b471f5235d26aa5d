/** The question that a recovery asks a person, as it is shown, and what to type for each answer. */
import type { Approval } from '../core/incident/contracts.ts';
import { dr } from './hints.ts';
import { clock, duration } from './screen.ts';

/** Lines for people: what was found, what is restored, what that loses, how long one may think. */
export function questionLines({ plan, expiresAt }: Pick<Approval, 'plan' | 'expiresAt'>, now: number): string[] {
  const { damage, source, restorePoint, window, estimatedLossSeconds, changes } = plan;
  const left = (Date.parse(expiresAt) - now) / 1000;
  const time =
    left > 0
      ? `Without an answer it is declined at ${clock(expiresAt)}, in ${duration(left)}.`
      : `Nobody answered by ${clock(expiresAt)}: it is being declined.`;
  if (changes)
    return [...changes, `On approval exactly this is done to ${source}; until then nothing is changed.`, time];
  return [
    ...(damage.length > 0 ? damage.map((found) => `Damaged: ${found}`) : ['No damage was found by the sentinel.']),
    restorePoint === undefined
      ? `Nothing bounds the damage in time: you choose the restore point${window ? `, from ${window.earliest} until before ${window.latest}` : ''}. What was written after it is lost.`
      : `Restore ${source} as of ${restorePoint}: about ${duration(estimatedLossSeconds)} of writes are lost.`,
    `On approval ${source} is fenced; until then nothing is changed.`,
    time,
  ];
}

/** What to type. */
export const answers = ({ incidentId, plan }: Pick<Approval, 'incidentId' | 'plan'>): string[] => [
  dr(
    `approve ${incidentId} --reason "…"${plan.restorePoint === undefined && plan.changes === undefined ? ' --restore-to POINT' : ''}`,
  ),
  dr(`decline ${incidentId} --reason "…"`),
];
