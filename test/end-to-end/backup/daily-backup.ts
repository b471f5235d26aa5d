/** A day's backup as the schedule brings it: every part, in both Regions. */
import { CreateDBSnapshotCommand, DescribeDBSnapshotsCommand } from '@aws-sdk/client-rds';
import { paginateListExecutions } from '@aws-sdk/client-sfn';
import { beforeAll, describe, expect, test } from 'vitest';
import type { BackupRecord } from '../../../core/backup/contracts.ts';
import { backupTag, resourceTag } from '../../../core/backup/names.ts';
import { environmentTag } from '../../../core/incident/identifiers.ts';
import { type Ended, eventually } from '../../support/rehearsal.ts';
import {
  clients,
  here,
  identifier,
  left,
  mark,
  observeModifications,
  production,
  read,
  recordOf,
  setRetention,
  site,
  there,
  verdicts,
} from './site.ts';

async function executions(region: string): Promise<string[]> {
  const found: string[] = [];
  const stateMachineArn = site.names.stateMachineArn(region, 'backup');
  for await (const { executions: page = [] } of paginateListExecutions(
    { client: clients(region).sfn },
    { stateMachineArn },
  ))
    found.push(...page.map(({ executionArn = '' }) => executionArn));
  return found;
}

async function snapshotsOf(region: string) {
  const { DBSnapshots = [] } = await clients(region).rds.send(
    new DescribeDBSnapshotsCommand({ SnapshotType: 'manual' }),
  );
  return DBSnapshots;
}
const tagsOf = (list: readonly { Key?: string | undefined; Value?: string | undefined }[] = []) =>
  Object.fromEntries(list.map(({ Key = '', Value = '' }) => [Key, Value]));

/** What the Region's schedule starts when its time has come. */
async function begun(region: string): Promise<string> {
  const before = await executions(region);
  await site.installation.cloud.fireSchedule(site.names.schedule('backup'), region);
  return eventually('an execution of the schedule', async () =>
    (await executions(region)).find((arn) => !before.includes(arn)),
  );
}

describe('the daily backup', () => {
  let ended: Ended;
  let elsewhere: Ended;
  let asked: unknown[];
  let record: BackupRecord;

  beforeAll(async () => {
    await setRetention(35); // longer than the plan: nobody's to lower
    asked = observeModifications();
    // Somebody's own snapshots: one that nobody could mistake, and one under the backup's name.
    for (const name of ['before-the-release', `dr-backup-${identifier}-20260101-020000`]) {
      await clients(here).rds.send(
        new CreateDBSnapshotCommand({ DBSnapshotIdentifier: name, DBInstanceIdentifier: identifier }),
      );
      await eventually(`the snapshot ${name}`, async () =>
        (await snapshotsOf(here)).some((each) => each.DBSnapshotIdentifier === name && each.Status === 'available'),
      );
    }
    ended = await site.end(await begun(here));
    elsewhere = await site.end(await begun(there), there);
    record = await recordOf(ended);
    left.daily = record;
    await mark('after the backup');
    left.lastRowAt = Date.now();
  });

  test('is started by the synthesized schedule where the active database is, and passes every part', () => {
    expect(ended, JSON.stringify(record.outcomes)).toMatchObject({
      status: 'SUCCEEDED',
      output: { verdict: 'succeeded' },
    });
    expect(verdicts(record)).toEqual({
      snapshot: 'passed',
      copy: 'passed',
      verification: 'passed',
      retention: 'passed',
      'retention-elsewhere': 'passed',
      protection: 'passed',
      'cluster-state': 'passed',
      configuration: 'passed',
      dump: 'passed',
    });
    expect(elsewhere).toMatchObject({ status: 'SUCCEEDED', output: { skipped: expect.stringContaining(here) } });
  });

  test('is in both Regions, encrypted with the Region’s key, and tagged', async () => {
    for (const region of [here, there]) {
      const snapshot = (await snapshotsOf(region)).find((each) => each.DBSnapshotIdentifier === record.run.snapshot);
      const { KeyMetadata } = await site.installation.cloud.call<{ KeyMetadata: { Arn: string } }>(
        'kms',
        'DescribeKey',
        { KeyId: site.installation.configuration[region === here ? 'primary' : 'dr'].backupKeyAlias },
        region,
      );
      expect(snapshot).toMatchObject({ Status: 'available', Encrypted: true, KmsKeyId: KeyMetadata.Arn });
      expect(KeyMetadata.Arn).toContain(region);
      expect(tagsOf(snapshot?.TagList)).toMatchObject({
        [environmentTag]: 'staging',
        [backupTag]: record.run.id,
        [resourceTag]: record.run.source.resourceId,
      });
    }
  });

  test('keeps what it did not make, and says that one bears its name', async () => {
    const names = (await snapshotsOf(here)).map(({ DBSnapshotIdentifier }) => DBSnapshotIdentifier);
    expect(names).toEqual(expect.arrayContaining(['before-the-release', `dr-backup-${identifier}-20260101-020000`]));
    const retention = record.outcomes.find(({ part }) => part === 'retention');
    expect(retention?.facts.strangers).toMatchObject([{ identifier: `dr-backup-${identifier}-20260101-020000` }]);
    expect(retention?.facts.kept).toEqual([record.run.snapshot]);
  });

  test('leaves a report, a metric and a message', async () => {
    expect(JSON.parse(await read(record.report ?? '', here))).toMatchObject({ run: { id: record.run.id } });
    const { Datapoints } = await site.installation.cloud.call<{ Datapoints: { Maximum: number }[] }>(
      'cloudwatch',
      'GetMetricStatistics',
      {
        Namespace: 'StockerDr',
        MetricName: 'BackupSucceeded',
        Dimensions: [
          { Name: 'Environment', Value: 'staging' },
          { Name: 'Task', Value: 'backup' },
        ],
        StartTime: new Date(Date.now() - 3_600_000),
        EndTime: new Date(Date.now() + 60_000),
        Period: 60,
        Statistics: ['Maximum'],
      },
      here,
    );
    expect(Math.max(...Datapoints.map(({ Maximum }) => Maximum))).toBe(1);
    expect(site.notices.find(({ subject }) => subject.includes(`${record.run.id} succeeded`))).toBeDefined();
  });

  test('lowers nothing', async () => {
    expect(asked).toEqual([]);
    expect(await production()).toMatchObject({ BackupRetentionPeriod: 35 });
  });
});
