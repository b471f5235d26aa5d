/** What CloudWatch gets to see of an instance: metrics each minute, and its log where the export is on. */
import { availableParallelism } from 'node:os';
import type { Service } from '../../kernel.ts';
import type { Database, Following } from './engine.ts';
import type { Instance, Region } from './state.ts';

const periodMs = 60 * 1000;

/** PutMetricData refuses namespaces of AWS: its services record without it. */
interface MetricRecorder extends Service {
  record?(namespace: string, metric: string, dimensions: Readonly<Record<string, string>>, value: number): void;
}

/** The part of the logs service that has no API: AWS services write without one. */
interface LogWriter extends Service {
  write?(group: string, stream: string, lines: readonly string[]): void;
}

export function followLog(region: Region, instance: Instance, database: Database): void {
  database.onLog((line) => {
    if (!instance.logExports.has('postgresql')) return;
    const logs = region.home.service('cloudwatch-logs') as LogWriter;
    logs.write?.(`/aws/rds/instance/${instance.identifier}/postgresql`, `${instance.identifier}.0`, [line]);
  });
}

/** Publishes metrics until the Region ends. */
export async function publishMetrics(region: Region): Promise<void> {
  const { clock } = region.home;
  let before = clock.now();
  while (!region.ended.signal.aborted) {
    await clock.sleep(periodMs, region.ended.signal);
    const elapsedSeconds = (clock.now() - before) / 1000;
    before = clock.now();
    await Promise.all([...region.instances.values()].map((instance) => publish(region, instance, elapsedSeconds)));
  }
}

/** An instance that does not answer has no metrics, as on RDS: alarms see missing data. */
async function publish(region: Region, instance: Instance, elapsedSeconds: number): Promise<void> {
  if (instance.database?.location.pid === undefined) return;
  try {
    const { connections, usedBytes, cpuSeconds, following } = await instance.database.measure();
    const free = Math.max(0, instance.settings.AllocatedStorage * 1024 ** 3 - usedBytes);
    const recorder = region.home.service('cloudwatch') as MetricRecorder;
    const dimensions = { DBInstanceIdentifier: instance.identifier };
    recorder.record?.('AWS/RDS', 'DatabaseConnections', dimensions, connections);
    recorder.record?.('AWS/RDS', 'FreeStorageSpace', dimensions, free);
    if (following !== undefined) {
      noteReplication(region, instance, following);
      // RDS for PostgreSQL publishes what the replica says of its last transaction; -1 where it says nothing.
      recorder.record?.('AWS/RDS', 'ReplicaLag', dimensions, following.lagSeconds ?? -1);
    }
    if (cpuSeconds === undefined) return;
    const share = (100 * cpuSeconds) / elapsedSeconds / availableParallelism();
    recorder.record?.('AWS/RDS', 'CPUUtilization', dimensions, Math.min(100, share));
  } catch {
    // It went down meanwhile: data points are missing.
  }
}

/** Tells once that a replica lost its source, and once that it has it again. */
function noteReplication(region: Region, instance: Instance, { streaming }: Following): void {
  const { following, identifier } = instance;
  const status = streaming ? 'replicating' : 'error';
  if (following === undefined || following.status === 'terminated' || following.status === status) return;
  following.status = status;
  const event = streaming ? 'RDS-EVENT-0046' : 'RDS-EVENT-0045';
  region.events.add(event, 'db-instance', identifier, region.arn('db', identifier));
}
