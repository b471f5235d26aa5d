/** CloudWatch metrics of the product: one namespace, one dimension for the environment. */
import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import type { Metrics } from '../../../core/database/ports.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from './clients.ts';

export function metrics({ settings, here, clock }: Pick<Runtime, 'settings' | 'here' | 'clock'>): Metrics {
  const client = clientFor(CloudWatchClient, here.region);
  return {
    async put(values) {
      const Timestamp = clock.now();
      const MetricData = values.map(({ name, value, unit, dimensions = {} }) => ({
        MetricName: name,
        Value: value,
        Unit: unit,
        Timestamp,
        Dimensions: Object.entries({ Environment: settings.environment, ...dimensions }).map(([Name, Value]) => ({
          Name,
          Value,
        })),
      }));
      await client.send(new PutMetricDataCommand({ Namespace: 'StockerDr', MetricData }));
    },
  };
}
