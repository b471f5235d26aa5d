/** How an instance is observed, which RDS carries over to no copy and no replica. */
import type { DatabaseInsightsMode } from '@aws-sdk/client-rds';
import type { DatabaseInstance } from '../../../core/database/ports.ts';

export const textIn = (settings: DatabaseInstance['settings']) => (name: string) =>
  typeof settings[name] === 'string' ? String(settings[name]) : undefined;

/** A key is of one Region: another one takes the default key of its own. */
export function observationOf(settings: DatabaseInstance['settings'], region: string) {
  const text = textIn(settings);
  const insights = settings.performanceInsights === true;
  const key = text('performanceInsightsKey');
  return {
    MonitoringInterval: Number(settings.monitoringInterval ?? 0),
    MonitoringRoleArn: text('monitoringRole'),
    EnablePerformanceInsights: insights,
    PerformanceInsightsKMSKeyId: insights && key?.split(':')[3] === region ? key : undefined,
    PerformanceInsightsRetentionPeriod: insights ? Number(settings.performanceInsightsDays ?? 7) : undefined,
    DatabaseInsightsMode: text('databaseInsights') as DatabaseInsightsMode | undefined,
  };
}
