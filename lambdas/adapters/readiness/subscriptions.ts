/** Who has confirmed that messages reach them, topic by topic. */
import { paginateListSubscriptionsByTopic, SNSClient } from '@aws-sdk/client-sns';
import { ask } from '../../../core/readiness/answer.ts';
import type { ReadinessRun } from '../../../core/readiness/contracts.ts';
import type { FactsOf } from '../../../core/readiness/facts.ts';
import { regionSettings } from '../../../core/settings.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from '../aws/clients.ts';

/** The team's: that customers subscribe is theirs to decide. */
export async function lookAtSubscriptions(
  { region, activeRegion }: ReadinessRun,
  { settings }: Pick<Runtime, 'settings'>,
): Promise<FactsOf<'subscriptions'>> {
  const subscriptionsIn = (where: string) =>
    ask(`SNS in ${where}`, async () => {
      const { internalTopicArn: TopicArn } = regionSettings(settings, where);
      let confirmed = 0;
      let pending = 0;
      const client = clientFor(SNSClient, where);
      // Until it is confirmed it has no ARN (SNS API: ListSubscriptionsByTopic).
      for await (const { Subscriptions = [] } of paginateListSubscriptionsByTopic({ client }, { TopicArn }))
        for (const { SubscriptionArn } of Subscriptions)
          if (SubscriptionArn === 'PendingConfirmation') pending += 1;
          else confirmed += 1;
      return [{ topic: TopicArn.split(':').at(-1) ?? TopicArn, confirmed, pending }];
    });
  const [active, standby] = await Promise.all([subscriptionsIn(activeRegion), subscriptionsIn(region)]);
  return { active, standby };
}
