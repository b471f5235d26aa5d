/** The DR Region knows how production is set up: what parity compares a recovered database with when its source is out of reach. */
import { formatSeconds, secondsBetween } from '../../incident/moments.ts';
import { within } from '../answer.ts';
import { defineCheck, notReady, ready } from '../check.ts';

const freshSeconds = 86_400;

export const profile = defineCheck({
  name: 'profile',
  title: 'The DR Region does not know how production is set up',
  dependsOn: 'dr',
  scenarios: ['region'],
  facts: ({ records }) => within(records, ({ standby }) => standby),
  judge: ({ profileAt }, { run, now }) => {
    if (profileAt === null) return notReady(`${run.region} holds no profile of ${run.database.identifier}`);
    const age = secondsBetween(profileAt, now);
    const said = `the profile of ${run.database.identifier} in ${run.region} is of ${formatSeconds(age)} ago`;
    return age <= freshSeconds
      ? ready(said, { evidence: { profileAt } })
      : notReady(`${said}: the sentinel has not seen production sound since`, { evidence: { profileAt } });
  },
});
