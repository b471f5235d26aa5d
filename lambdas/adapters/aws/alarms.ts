/** CloudWatch alarms of the function's own Region. */
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import type { Alarms } from '../../../core/incident/ports.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from './clients.ts';

export function alarms({ here }: Pick<Runtime, 'here'>): Alarms {
  const client = clientFor(CloudWatchClient, here.region);
  return {
    async state(alarmName) {
      // Without its types DescribeAlarms answers metric alarms only.
      const { MetricAlarms = [], CompositeAlarms = [] } = await client.send(
        new DescribeAlarmsCommand({ AlarmNames: [alarmName], AlarmTypes: ['MetricAlarm', 'CompositeAlarm'] }),
      );
      const [alarm] = [...MetricAlarms, ...CompositeAlarms];
      if (!alarm?.StateValue) return undefined;
      return { value: alarm.StateValue, since: (alarm.StateUpdatedTimestamp ?? new Date(0)).toISOString() };
    },
    async ringing(AlarmNamePrefix) {
      // At most 100 on a page; the product has a handful.
      const command = new DescribeAlarmsCommand({ AlarmNamePrefix, StateValue: 'ALARM', MaxRecords: 100 });
      const { MetricAlarms = [] } = await client.send(command);
      return MetricAlarms.map(({ AlarmName = '' }) => AlarmName);
    },
  };
}
