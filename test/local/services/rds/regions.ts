/** Two Regions of RDS with their keys and quotas, on a clock that makes five minutes half a second; either goes dark. */
import type * as sdk from '@aws-sdk/client-rds';
import pg from 'pg';
import { scaledClock } from '../../../../local/clock.ts';
import { createFaults, type InjectedFaults } from '../../../../local/faults.ts';
import type { Service, ServiceDefinition } from '../../../../local/kernel.ts';
import { kms } from '../../../../local/services/kms/index.ts';
import { type RdsService, rds } from '../../../../local/services/rds/index.ts';
import { type QuotasService, serviceQuotas } from '../../../../local/services/service-quotas/index.ts';
import { operator } from '../fake-home.ts';
import { OTHER_REGION, storage } from '../storage-home.ts';
import { master, small } from './region.ts';

export const east = 'us-east-1';
export const west = OTHER_REGION;
export const arn = (region: string, type: string, name: string) => `arn:aws:rds:${region}:111122223333:${type}:${name}`;

export interface RdsRegions {
  readonly faults: InjectedFaults;
  /** Replica lags as they were published, newest last. */
  readonly lags: number[];
  rds(region: string): RdsService;
  quotas(region: string): QuotasService;
  call<O = object>(region: string, operation: string, input: object): Promise<O>;
  presented(region: string, operation: string, input: object): Promise<readonly string[]>;
  newKey(region: string): Promise<string>;
  disableKey(region: string, KeyId: string, isDisabled: boolean): Promise<void>;
  describe(region: string, identifier: string): Promise<sdk.DBInstance>;
  /** Waits for a status and returns every one seen on the way, without repetition. */
  until(region: string, identifier: string, status: string): Promise<string[]>;
  snapshot(region: string, identifier: string): Promise<sdk.DBSnapshot>;
  connect(region: string, identifier: string): Promise<pg.Client>;
  /** Ids of the events of a source, in order. */
  eventsOf(sourceArn: string): readonly string[];
  /** Every database of the Region dies at once, and it answers no more. Returns what brings its services back. */
  goDark(region: string): Promise<() => Promise<void>>;
  stop(): Promise<void>;
}

export async function openRegions(): Promise<RdsRegions> {
  const clock = scaledClock(600);
  const faults = createFaults(clock);
  const lags: number[] = [];
  const observer: ServiceDefinition = {
    name: 'cloudwatch',
    sdk: '',
    create: () =>
      ({
        operations: {},
        record: (_: string, metric: string, __: object, value: number) => {
          if (metric === 'ReplicaLag') lags.push(value);
        },
      }) as Service,
  };
  const cloud = storage([rds, kms, serviceQuotas, observer], { clock, faults });
  await cloud.ready;
  const service = (region: string) => cloud.service('rds', region) as RdsService;
  for (const region of [east, west]) await service(region).start?.();

  const regions: RdsRegions = {
    faults,
    lags,
    rds: service,
    quotas: (region) => cloud.service('service-quotas', region) as QuotasService,
    call: (region, operation, input) => cloud.call('rds', operation, input, operator, region),
    presented: async (region, operation, input) =>
      (await cloud.access('rds', operation, input, operator, region)).map(
        ({ action, resources }) => `${action} ${resources.join()}`,
      ),
    newKey: async (region) => (await cloud.call('kms', 'CreateKey', {}, operator, region)).KeyMetadata.Arn,
    disableKey: (region, KeyId, isDisabled) =>
      cloud.call('kms', isDisabled ? 'DisableKey' : 'EnableKey', { KeyId }, operator, region),
    describe: async (region, DBInstanceIdentifier) => {
      const { DBInstances } = await regions.call<sdk.DescribeDBInstancesCommandOutput>(region, 'DescribeDBInstances', {
        DBInstanceIdentifier,
      });
      if (DBInstances?.[0] === undefined) throw new Error('not described');
      return DBInstances[0];
    },
    until: async (region, identifier, status) => {
      const seen: string[] = [];
      for (;;) {
        const now = (await regions.describe(region, identifier)).DBInstanceStatus ?? '';
        if (seen.at(-1) !== now) seen.push(now);
        if (now === status) return seen;
        if (/failed|incompatible/.test(now))
          throw new Error(`${identifier}: ${now}: ${JSON.stringify(cloud.events.at(-1)?.detail.Message)}`);
        await new Promise((resolve) => setTimeout(resolve, 3));
      }
    },
    snapshot: async (region, DBSnapshotIdentifier) => {
      const { DBSnapshots } = await regions.call<sdk.DescribeDBSnapshotsCommandOutput>(region, 'DescribeDBSnapshots', {
        DBSnapshotIdentifier,
      });
      if (DBSnapshots?.[0] === undefined) throw new Error('not described');
      return DBSnapshots[0];
    },
    connect: async (region, identifier) => {
      const { Endpoint } = await regions.describe(region, identifier);
      const client = new pg.Client({
        host: Endpoint?.Address,
        port: Endpoint?.Port,
        user: master.MasterUsername,
        password: master.MasterUserPassword,
        database: 'postgres',
        ssl: { rejectUnauthorized: false },
      });
      client.on('error', () => {});
      await client.connect();
      return client;
    },
    eventsOf: (sourceArn) =>
      cloud.events.filter(({ detail }) => detail.SourceArn === sourceArn).map(({ detail }) => String(detail.EventID)),
    goDark: async (region) => {
      await cloud.goDark('rds', region);
      return () => cloud.comeBack('rds', region);
    },
    stop: () => cloud.stop(),
  };
  return regions;
}

/** An encrypted instance with automated backups. */
export async function createProduction(regions: RdsRegions, KmsKeyId: string): Promise<pg.Client> {
  await regions.call(east, 'CreateDBInstance', {
    DBInstanceIdentifier: 'prod',
    ...small,
    StorageEncrypted: true,
    KmsKeyId,
    BackupRetentionPeriod: 30,
    CopyTagsToSnapshot: true,
    Tags: [{ Key: 'team', Value: 'stock' }],
  });
  await regions.until(east, 'prod', 'available');
  const client = await regions.connect(east, 'prod');
  await client.query('create table ledger (id int primary key)');
  return client;
}
