/** The alarms of a stack: what each reads and who writes that, and the runbook that it links to. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { only, type Properties, resourcesOf, type Stack } from './stacks.ts';

const root = join(import.meta.dirname, '../..');

export const alarmsOf = (stack: Stack) =>
  resourcesOf(stack, 'AWS::CloudWatch::Alarm').map(([id, { Properties }]): Properties => ({ id, ...Properties }));
export const compositesOf = (stack: Stack) =>
  resourcesOf(stack, 'AWS::CloudWatch::CompositeAlarm').map(([, { Properties }]) => Properties);
export const alarm = (stack: Stack, name: string) =>
  only(stack, 'AWS::CloudWatch::Alarm', ({ AlarmName }) => AlarmName === `stocker-dr-${stack.environment}-${name}`);
export const nameOf = (stack: Stack, { AlarmName }: Properties) =>
  String(AlarmName).replace(`stocker-dr-${stack.environment}-`, '');

/** The headings of a runbook as GitHub makes anchors of them. */
export const anchorsOf = (file: string) =>
  [...readFileSync(join(root, file), 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^a-z0-9 -]/g, '')
      .replaceAll(' ', '-'),
  );
export const links = /Runbook: (docs\/runbooks\/[a-z]+\.md)#([a-z0-9-]+)$/;

/** Metrics of the product that an alarm reads, with the period it reads them in. */
export const metricsOf = ({
  MetricName,
  Namespace,
  Period,
  Metrics = [],
}: Properties): { name: string; period: number }[] =>
  [
    { Namespace, name: MetricName, period: Period },
    ...Metrics.flatMap(({ MetricStat }: Properties) =>
      MetricStat ? [{ ...MetricStat.Metric, name: MetricStat.Metric.MetricName, period: MetricStat.Period }] : [],
    ),
  ].filter((each) => each.Namespace === 'StockerDr');
/** The product's metrics by name → who writes it, and how often that runs. */
export const writers = ({
  schedules,
}: Stack['configuration']): Readonly<Record<string, { file: string; minutes: number }>> => {
  const heartbeat = { file: 'core/database/heartbeat.ts', minutes: schedules.heartbeatMinutes };
  const sentinel = { file: 'core/database/look-for-damage.ts', minutes: schedules.sentinelMinutes };
  // Every half hour, twice in a period of the alarms (lib/constructs/backup/backup-schedules.ts).
  const watch = { file: 'core/backup/watch-backups.ts', minutes: 30 };
  const readiness = { file: 'core/readiness/report-readiness.ts', minutes: 30 };
  const guard = { file: 'core/region/guard-database.ts', minutes: 1 };
  const probe = { file: 'core/region/look-at-primary.ts', minutes: 1 };
  const latch = { file: 'core/region/latch.ts', minutes: 1 };
  const cluster = { file: 'core/cluster/watch-cluster.ts', minutes: 1 };
  const drift = { file: 'core/configuration/report-drift.ts', minutes: 24 * 60 };
  return {
    ConfigurationDrift: drift,
    ConfigurationChecked: drift,
    GuardLooked: guard,
    GuardFenced: guard,
    PrimaryProbed: probe,
    PrimaryEndpoint: probe,
    PrimaryDatabase: probe,
    PrimaryControlPlane: probe,
    TrafficLatched: latch,
    DrillTrafficLatched: latch,
    ClusterLost: cluster,
    NodesLost: cluster,
    ClusterUnknown: cluster,
    ClusterWatched: cluster,
    CheckNotReady: readiness,
    ReadinessLooked: readiness,
    ReadinessUnknown: readiness,
    BackupMissed: watch,
    BackupLate: watch,
    BackupFailed: watch,
    HeartbeatWritten: heartbeat,
    ActiveElsewhere: heartbeat,
    ConnectionRefused: sentinel,
    DamageFound: sentinel,
    SentinelLooked: sentinel,
  };
};
