/** Somebody is told: every topic of the team has a confirmed subscription, and none that waits. */
import { within } from '../answer.ts';
import { defineCheck, judgeFlaws } from '../check.ts';

type Topics = readonly { readonly topic: string; readonly confirmed: number; readonly pending: number }[];

const judge = (topics: Topics) =>
  judgeFlaws(
    topics.flatMap(({ topic, confirmed, pending }) => [
      ...(confirmed === 0 ? [`nobody has confirmed a subscription of ${topic}`] : []),
      ...(pending > 0 ? [`${pending} subscriptions of ${topic} wait to be confirmed`] : []),
    ]),
    topics.map(({ topic, confirmed }) => `${topic}: ${confirmed} confirmed`).join('; '),
    { evidence: { topics } },
  );

export const subscriptions = defineCheck({
  name: 'subscriptions',
  title: 'A topic where production is has a subscription that nobody confirmed, or none',
  dependsOn: 'primary',
  scenarios: ['database'],
  facts: ({ subscriptions: source }) => within(source, ({ active }) => active),
  judge,
});

export const subscriptionsStandby = defineCheck({
  name: 'subscriptions-standby',
  title: 'A topic in the DR Region has a subscription that nobody confirmed, or none',
  dependsOn: 'dr',
  scenarios: ['region'],
  facts: ({ subscriptions: source }) => within(source, ({ standby }) => standby),
  judge,
});
