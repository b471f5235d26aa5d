/** The question that a recovery asks a person, as it is shown, and what to type for each answer. */
import type { Approval } from '../core/incident/contracts.ts';
import { dr } from './hints.ts';
import { clock, duration } from './screen.ts';

type Plan = Approval['plan'];

/** Lines for people: what was found, what is done, what that loses, how long one may think. */
export function questionLines({ plan, expiresAt }: Pick<Approval, 'plan' | 'expiresAt'>, now: number): string[] {
  const left = (Date.parse(expiresAt) - now) / 1000;
  const time =
    left > 0
      ? `Without an answer it is declined at ${clock(expiresAt)}, in ${duration(left)}.`
      : `Nobody answered by ${clock(expiresAt)}: it is being declined.`;
  if (plan.changes)
    return [
      ...plan.changes,
      `On approval exactly this is done to ${plan.source}; until then nothing is changed.`,
      time,
    ];
  return [
    ...(plan.failover ? failover(plan, plan.failover) : plan.tables ? repair(plan, plan.tables) : restore(plan)),
    time,
  ];
}

function failover(
  { source, candidate, estimatedLossSeconds }: Plan,
  { style, from, to }: NonNullable<Plan['failover']>,
): string[] {
  const what = `Move production from ${from} to ${to}: ${candidate} takes over from ${source}`;
  return style === 'graceful'
    ? [
        `${what}, and nothing is lost.`,
        `On approval ${source} is fenced, and no write is accepted anywhere until the cut-over; until then nothing is changed.`,
      ]
    : [
        `${what}: about ${duration(estimatedLossSeconds)} of writes are lost, which ${candidate} has not received.`,
        `On approval ${candidate} is promoted, which cannot be taken back; ${source} is fenced when it can be reached.`,
      ];
}

const repair = ({ damage, source, restorePoint, ...plan }: Plan, tables: readonly string[]): string[] => [
  ...found(damage),
  `Repair ${tables.join(', ')} in ${source} as it is; their rows become what they were ${restorePoint === undefined ? `at the time that you choose${between(plan)}` : `at ${restorePoint}`}.`,
  'Everything else goes on. On approval they are locked while the rows are put back; until then nothing is changed.',
];

const restore = ({ damage, source, restorePoint, estimatedLossSeconds, ...plan }: Plan): string[] => [
  ...found(damage),
  restorePoint === undefined
    ? `Nothing bounds the damage in time: you choose the restore point${between(plan)}. What was written after it is lost.`
    : `Restore ${source} as of ${restorePoint}: about ${duration(estimatedLossSeconds)} of writes are lost.`,
  `On approval ${source} is fenced; until then nothing is changed.`,
];

const found = (damage: readonly string[]) =>
  damage.length > 0 ? damage.map((each) => `Damaged: ${each}`) : ['No damage was found by the sentinel.'];

const between = ({ window }: Pick<Plan, 'window'>) =>
  window ? `, from ${window.earliest} until before ${window.latest}` : '';

/** What to type. */
export const answers = ({ incidentId, plan }: Pick<Approval, 'incidentId' | 'plan'>): string[] => [
  dr(
    `approve ${incidentId} --reason "…"${plan.restorePoint === undefined && plan.changes === undefined ? ' --restore-to POINT' : ''}`,
  ),
  dr(`decline ${incidentId} --reason "…"`),
];
