import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { ListExecutionsCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import type { Installation } from '../../cli/installation.ts';
import { namesOf } from '../../config/names.ts';
import { databaseAlarmPrefix } from '../../core/incident/identifiers.ts';

/**
 * On a fast clock the heartbeat's alarm rings before the first heartbeat, and its recovery asks people: waits until the
 * alarms are quiet, and stops what they started.
 */
export async function untilQuiet({ configuration, clients }: Installation): Promise<void> {
  const AlarmNamePrefix = databaseAlarmPrefix(configuration.environment);
  const stateMachineArn = namesOf(configuration).stateMachineArn(configuration.primary.region, 'database-recovery');
  for (const until = Date.now() + 30_000; Date.now() < until; await sleep(100)) {
    const { MetricAlarms = [] } = await clients.cloudwatch.send(new DescribeAlarmsCommand({ AlarmNamePrefix }));
    if (MetricAlarms.every(({ StateValue }) => StateValue === 'OK')) break;
  }
  const running = new ListExecutionsCommand({ stateMachineArn, statusFilter: 'RUNNING' });
  for (const { executionArn } of (await clients.sfn.send(running)).executions ?? [])
    await clients.sfn.send(new StopExecutionCommand({ executionArn, cause: 'The test begins' }));
}
