/** The DR Region reaches production's database: else its loss cannot be told from a way that is missing, nor is it fenced. */
import { within } from '../answer.ts';
import { defineCheck, notReady, ready } from '../check.ts';
import type { Answer, FactsOf } from '../facts.ts';

type Standby = Extract<FactsOf<'records'>['standby'], { found: unknown }>['found'];

export const reach = defineCheck({
  name: 'reach',
  title:
    'The DR Region has never reached production’s database: its loss cannot be seen, and no switchover can fence it',
  dependsOn: 'dr',
  scenarios: ['region'],
  facts: ({ records }, { settings, run }): Answer<Standby['look'] | 'elsewhere'> =>
    run.region === settings.dr.region
      ? within(records, ({ standby }) => within(standby, ({ look }) => ({ found: look })))
      : { found: 'elsewhere' },
  judge: (look, { run }) => {
    const { identifier } = run.database;
    if (look === 'elsewhere')
      return {
        verdict: 'not-applicable',
        reason: `production is in ${run.activeRegion}, at which nobody looks from outside`,
      };
    if (look === null || look.region !== run.activeRegion)
      return notReady(`nobody in ${run.region} has looked at production in ${run.activeRegion} yet`);
    const { reachedAt } = look;
    return reachedAt === null
      ? notReady(`${run.region} has not reached ${identifier} in ${run.activeRegion} once since it became production`)
      : ready(`${identifier} answered ${run.region} at ${reachedAt}`, { evidence: { reachedAt } });
  },
});
