/** The heartbeat of production as CloudWatch counted it there: its network is out of reach from another Region. */
import { CloudWatchClient, GetMetricStatisticsCommand } from '@aws-sdk/client-cloudwatch';
import { ask } from '../../../core/readiness/answer.ts';
import type { ReadinessRun } from '../../../core/readiness/contracts.ts';
import type { FactsOf } from '../../../core/readiness/facts.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from '../aws/clients.ts';

const minutesSeen = 60;

export function lookAtHeartbeat(
  { activeRegion }: ReadinessRun,
  { settings, clock }: Pick<Runtime, 'settings' | 'clock'>,
): Promise<FactsOf<'heartbeat'>> {
  return ask(`CloudWatch in ${activeRegion}`, async () => {
    const EndTime = clock.now();
    const { Datapoints = [] } = await clientFor(CloudWatchClient, activeRegion).send(
      new GetMetricStatisticsCommand({
        Namespace: 'StockerDr',
        MetricName: 'HeartbeatWritten',
        Dimensions: [{ Name: 'Environment', Value: settings.environment }],
        StartTime: new Date(EndTime.getTime() - minutesSeen * 60_000),
        EndTime,
        Period: 60,
        Statistics: ['Maximum'],
      }),
    );
    const newestFirst = Datapoints.toSorted((a, b) => (b.Timestamp?.getTime() ?? 0) - (a.Timestamp?.getTime() ?? 0));
    const [newest] = newestFirst;
    const written = newestFirst.find(({ Maximum }) => Maximum === 1);
    return {
      newest: newest?.Timestamp?.toISOString() ?? null,
      failed: newest !== undefined && newest.Maximum !== 1,
      written: written?.Timestamp?.toISOString() ?? null,
    };
  });
}
