/** What is never rehearsed does not exist: a drill of each scenario succeeded of late, of what is deployed now. */
import { isBefore, secondsBetween } from '../../incident/moments.ts';
import { within } from '../answer.ts';
import { type Check, defineCheck, notReady, ready } from '../check.ts';
import type { GreenDrill } from '../contracts.ts';
import type { Facts } from '../facts.ts';

/** Days between drills by the plan, and a few of grace. A scenario that has a machine has a line here. */
const drilled = [
  { scenario: 'database', days: 35, due: 'every month' },
  { scenario: 'region', days: 190, due: 'twice a year' },
] as const;

const daySeconds = 86_400;
const recordsOf = ({ records }: Facts) => within(records, ({ active }) => active);

const lastOf = (drills: readonly GreenDrill[], scenario: GreenDrill['scenario']) =>
  drills
    .filter((each) => each.scenario === scenario)
    .toSorted((a, b) => (isBefore(a.closedAt, b.closedAt) ? 1 : -1))[0];

const overdue = drilled.map(({ scenario, days, due }) =>
  defineCheck({
    name: `drill-${scenario}`,
    title: `No drill of scenario ${scenario} has succeeded for ${days} days`,
    dependsOn: 'primary',
    scenarios: [scenario],
    facts: recordsOf,
    judge: ({ drills }, { now }) => {
      const last = lastOf(drills, scenario);
      if (last === undefined) return notReady(`no drill of scenario ${scenario} has succeeded yet`);
      const age = secondsBetween(last.closedAt, now) / daySeconds;
      const said = `${last.incidentId} succeeded ${Math.floor(age)} days ago`;
      return age <= days
        ? ready(said, { evidence: { ...last } })
        : notReady(`${said}; one is due ${due}`, { evidence: { ...last } });
    },
  }),
);

const changed = drilled.map(({ scenario }) =>
  defineCheck({
    name: `release-${scenario}`,
    title: `What is deployed is not what the last good drill of scenario ${scenario} rehearsed`,
    dependsOn: 'primary',
    scenarios: [scenario],
    facts: recordsOf,
    judge: ({ drills, release }) => {
      const last = lastOf(drills, scenario);
      if (last === undefined) return notReady(`no drill of scenario ${scenario} has rehearsed what is deployed`);
      const evidence = { release, rehearsed: last.release, incidentId: last.incidentId };
      return last.release === release
        ? ready(`${last.incidentId} rehearsed what is deployed`, { evidence })
        : notReady(`settings, definitions or code were changed since ${last.incidentId}`, { evidence });
    },
  }),
);

export const drills: readonly Check[] = [...overdue, ...changed];
