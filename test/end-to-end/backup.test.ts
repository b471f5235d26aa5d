/** A day's backup as the schedule brings it, the proof that it restores, and the other Region's restores when the first one is dark. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import {
  CreateDBSnapshotCommand,
  type DBInstance,
  DescribeDBInstanceAutomatedBackupsCommand,
  DescribeDBInstancesCommand,
  DescribeDBSnapshotsCommand,
  ModifyDBInstanceCommand,
  RestoreDBInstanceFromDBSnapshotCommand,
  RestoreDBInstanceToPointInTimeCommand,
} from '@aws-sdk/client-rds';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { paginateListExecutions, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { clientsOf } from '../../cli/clients.ts';
import { dumpDatabase } from '../../cli/installation.ts';
import { BackupRecord, type Part, Proof } from '../../core/backup/contracts.ts';
import { backupTag, resourceTag } from '../../core/backup/names.ts';
import { environmentTag } from '../../core/incident/identifiers.ts';
import { AwsError } from '../../local/kernel.ts';
import type { EksService } from '../../local/services/eks/service.ts';
import { writeParameters } from '../../workload/infrastructure/provision.ts';
import { type Ended, eventually, Rehearsal } from '../support/rehearsal.ts';

let site: Rehearsal;
let here: string;
let there: string;
let identifier: string;
let machine: string;
/** The run that the schedule started. */
let daily: BackupRecord;
/** Epoch milliseconds of the last row that was written before the Region went dark. */
let lastRowAt: number;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  const { staging: assembly } = inject('assemblies');
  // Functions have threads of their own here, as where a drill is run from the command line (ADR 0036).
  site = await Rehearsal.start({ environment: 'staging', assembly, rows: 500, sharesThread: false });
  const { configuration } = site.installation;
  [here, there, identifier] = [
    configuration.primary.region,
    configuration.dr.region,
    configuration.database.identifier,
  ];
  machine = site.names.stateMachineArn(here, 'backup');
  await site.ignoreAlarms();
  await mark('before the backup');
  await site.restorable(Date.now());
  await registeredDaysAgo(3);
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await site?.stop();
});

/** As if the database had been production for days: since then, a backup was due every day. */
async function registeredDaysAgo(days: number): Promise<void> {
  const { dynamodb } = clientsOf(site.installation.connection, there);
  const item = (await site.controls()).find(({ pk }) => pk === 'active-database') ?? {};
  await dynamodb.send(
    new UpdateItemCommand({
      TableName: site.names.controlTable,
      Key: { pk: { S: String(item.pk) }, sk: { S: String(item.sk) } },
      UpdateExpression: 'SET since = :then',
      ExpressionAttributeValues: { ':then': { S: new Date(Date.now() - days * 86_400_000).toISOString() } },
    }),
  );
}

const clients = (region: string) => clientsOf(site.installation.connection, region);
/** A row by which a restored copy is known. */
const mark = (name: string) => site.sql(`insert into stocker.tenant (name) values ('${name}')`);

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

async function start(input: object = {}): Promise<Ended> {
  const { executionArn = '' } = await clients(here).sfn.send(
    new StartExecutionCommand({ stateMachineArn: machine, input: JSON.stringify(input) }),
  );
  return site.end(executionArn);
}

async function recordOf({ arn }: Ended): Promise<BackupRecord> {
  const item = (await site.records()).find(
    ({ pk, run }) => pk === 'backup' && (run as { executionArn?: string }).executionArn === arn,
  );
  const { pk: _, sk: __, ttl: ___, ...record } = item ?? {};
  return BackupRecord.parse(record);
}
const verdicts = ({ outcomes }: BackupRecord) =>
  Object.fromEntries(outcomes.map(({ part, verdict }) => [part, verdict])) as Partial<Record<Part, string>>;
const said = ({ outcomes }: BackupRecord, part: Part) => outcomes.find((each) => each.part === part)?.summary;

async function snapshotsOf(region: string) {
  const { DBSnapshots = [] } = await clients(region).rds.send(
    new DescribeDBSnapshotsCommand({ SnapshotType: 'manual' }),
  );
  return DBSnapshots;
}
const tagsOf = (list: readonly { Key?: string | undefined; Value?: string | undefined }[] = []) =>
  Object.fromEntries(list.map(({ Key = '', Value = '' }) => [Key, Value]));

/** What an object in S3 holds, by its `s3://…` location. */
async function read(location: string, region: string): Promise<string> {
  const [, Bucket, Key, VersionId] = /^s3:\/\/([^/]+)\/([^?]+)(?:\?versionId=(.+))?$/.exec(location) ?? [];
  const { Body } = await clients(region).s3.send(new GetObjectCommand({ Bucket, Key, VersionId }));
  return (await Body?.transformToString()) ?? '';
}

async function stateOf(name: string): Promise<string | undefined> {
  const { MetricAlarms } = await site.installation.cloud.call<{ MetricAlarms: { StateValue: string }[] }>(
    'cloudwatch',
    'DescribeAlarms',
    { AlarmNames: [site.names.alarm(name)] },
    here,
  );
  return MetricAlarms[0]?.StateValue;
}

/** The command line, as it is typed. */
async function dr(...argv: string[]): Promise<{ code: number | null; out: string }> {
  const { cloud, connection } = site.installation;
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../bin/dr.ts'), ...argv], {
    env: {
      PATH: process.env.PATH,
      HOME: cloud.dataDirectory,
      COLUMNS: '300',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_ENDPOINT_URL: cloud.endpoint,
      AWS_ACCESS_KEY_ID: connection.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: connection.credentials.secretAccessKey,
    },
  });
  children.add(child);
  let out = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data) => {
      out += data;
    });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  children.delete(child);
  return { code, out };
}

/** As DescribeDBInstances shows it, but for the time that moves by itself. */
async function production(): Promise<DBInstance> {
  const { LatestRestorableTime: _, ...instance } = await site.available(identifier);
  return instance;
}

async function setRetention(BackupRetentionPeriod: number): Promise<void> {
  const change = { DBInstanceIdentifier: identifier, BackupRetentionPeriod };
  await clients(here).rds.send(new ModifyDBInstanceCommand(change));
  await eventually('the retention', async () => (await production()).BackupRetentionPeriod === BackupRetentionPeriod);
}

/** Half of a dump is left, as a CronJob that was killed leaves it. Returns what makes it whole again. */
async function cutOff(dump: string): Promise<() => Promise<unknown>> {
  const { clients: own, configuration } = site.installation;
  const object = { Bucket: configuration.primary.dumpBucket, Key: configuration.database.dumpPrefix + dump };
  const { Body } = await own.s3.send(new GetObjectCommand(object));
  const file = (await Body?.transformToByteArray()) ?? new Uint8Array();
  const put = (content: Uint8Array) => own.s3.send(new PutObjectCommand({ ...object, Body: content }));
  await put(file.subarray(0, file.length >> 1));
  return () => put(file);
}

/** What functions of the product ask ModifyDBInstance for, from now on. */
function observeModifications(): unknown[] {
  const seen: unknown[] = [];
  site.observe('rds', ['ModifyDBInstance'], (input, { principal }) => {
    if (principal.kind === 'role') seen.push(input);
    return false;
  });
  return seen;
}

describe('a day on which the copy fails and the dump is cut off', () => {
  let failed: Ended;
  let record: BackupRecord;
  let broken: string;
  let before: DBInstance;
  let asked: unknown[];
  let rangBefore: string | undefined;

  beforeAll(async () => {
    await setRetention(3);
    before = await production();
    asked = observeModifications();
    broken = await dumpDatabase(site.installation);
    const mend = await cutOff(broken);
    const end = site.inject({
      service: 'rds',
      operation: 'CopyDBSnapshot',
      effect: { kind: 'throw', error: new AwsError('KMSKeyNotAccessibleFault', 'The key is disabled.') },
    });
    rangBefore = await stateOf('backup-failed');
    failed = await start();
    end();
    record = await recordOf(failed);
    await mend();
  });

  test('ends failed, names both, and has made everything else', () => {
    expect(failed).toMatchObject({ status: 'FAILED', error: 'BackupIncomplete' });
    expect(verdicts(record)).toMatchObject({
      snapshot: 'passed',
      copy: 'failed',
      verification: 'failed',
      retention: 'passed',
      'retention-elsewhere': 'failed',
      'cluster-state': 'passed',
      configuration: 'passed',
      dump: 'failed',
    });
    expect(said(record, 'copy')).toContain('The key is disabled');
    expect(said(record, 'dump')).toContain(`${broken} is not whole`);
  });

  test('repairs what has drifted: retention and replication, and nothing else of production', async () => {
    expect(verdicts(record).protection).toBe('repaired');
    expect(said(record, 'protection')).toBe(
      `${identifier} kept automated backups for 3 days; now for 7; automated backups were not replicated to ${there}; now they are`,
    );
    // Refused once, where RDS is at work on the snapshot: asked again.
    expect(new Set(asked.map((input) => JSON.stringify(input)))).toEqual(
      new Set([JSON.stringify({ DBInstanceIdentifier: identifier, BackupRetentionPeriod: 7 })]),
    );
    expect(await production()).toEqual({
      ...before,
      BackupRetentionPeriod: 7,
      DBInstanceAutomatedBackupsReplications: [
        { DBInstanceAutomatedBackupsArn: expect.stringContaining(`arn:aws:rds:${there}:`) },
      ],
    });
  });

  test('rings when the watch has looked, and tells people which parts', async () => {
    expect(rangBefore).not.toBe('ALARM');
    await site.installation.cloud.fireSchedule(site.names.schedule('backup-watch'), here);
    await eventually('the alarm backup-failed', async () => (await stateOf('backup-failed')) === 'ALARM');
    const notice = site.notices.find(({ subject }) => subject.includes('FAILED'));
    expect(notice?.text).toMatch(/FAILED copy: .*The key is disabled/);
    expect(notice?.text).toContain('FAILED dump: ');
  });
});

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
    daily = record;
    await mark('after the backup');
    lastRowAt = Date.now();
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

describe('the weekly proof', () => {
  test('restores the newest backup in a drill, puts it on record, and `dr backups` shows it', async () => {
    const ended = await start({ task: 'prove' });
    expect(ended).toMatchObject({ status: 'SUCCEEDED', cause: '' });
    const proofs = (await site.records()).filter(({ pk }) => pk === 'backup-proof');
    const { pk: _, sk: __, ttl: ___, ...proof } = proofs[0] ?? {};
    expect(Proof.parse(proof)).toMatchObject({ verdict: 'passed' });
    expect(await site.leftovers()).toEqual([]);
    const { code, out } = await dr('backups', '--environment', 'staging');
    expect({ code, out }).toMatchObject({ code: 0 });
    const line = (...parts: string[]) => out.split('\n').find((each) => parts.every((part) => each.includes(part)));
    const name = Proof.parse(proof).backup;
    expect(line('daily backup', here, name)).toContain('restored by a drill at');
    expect(line('daily backup', there, name)).toContain('restored by a drill at');
    expect(line('point in time', there)).toContain('not proven yet');
    expect(line('dump', here)).toContain('read whole at');
    expect(line('cluster state', there)).toContain('complete');
    expect(line('snapshot', here, 'before-the-release')).toContain('not proven');
  });
  test('loads the newest dump in a drill, and of one that does not load says that it is no backup', async () => {
    const dump = await dumpDatabase(site.installation);
    const listed = async () => {
      const { out } = await dr('backups', '--environment', 'staging');
      return out.split('\n').find((line) => line.includes(dump));
    };
    expect(await start({ task: 'prove-dump' })).toMatchObject({ status: 'SUCCEEDED', cause: '' });
    expect(await listed()).toContain('restored by a drill at');
    await cutOff(dump);
    expect(await start({ task: 'prove-dump' })).toMatchObject({ status: 'FAILED', error: 'BackupIncomplete' });
    expect(await listed()).toContain('NO BACKUP: LoadDump failed');
    expect(await site.leftovers()).toEqual([]);
  });
});

describe('with the primary Region dark', () => {
  /** Name and port of what was restored there. */
  let fromCopy: number;
  let fromBackups: number;
  let exported: string;

  beforeAll(async () => {
    const { run, outcomes } = daily;
    const state = outcomes.find(({ part }) => part === 'cluster-state');
    const documents = (state?.facts.documents ?? []) as { locations: string[] }[];
    exported = documents[0]?.locations.find((location) => location.includes(there)) ?? '';
    const backupsArn = await eventually('replicated backups that hold the last row', async () => {
      const { DBInstanceAutomatedBackups: [found] = [] } = await clients(there).rds.send(
        new DescribeDBInstanceAutomatedBackupsCommand({ DBInstanceIdentifier: identifier }),
      );
      const latest = found?.RestoreWindow?.LatestTime?.getTime() ?? 0;
      return latest > lastRowAt && found?.DBInstanceAutomatedBackupsArn;
    });
    goDark();
    const { databaseSubnetGroup, databaseParameterGroup } = site.installation.configuration.dr;
    const how = { DBSubnetGroupName: databaseSubnetGroup, DBParameterGroupName: databaseParameterGroup };
    const { rds } = clients(there);
    await rds.send(
      new RestoreDBInstanceFromDBSnapshotCommand({
        DBSnapshotIdentifier: run.snapshot,
        DBInstanceIdentifier: 'from-copy',
        ...how,
      }),
    );
    await rds.send(
      new RestoreDBInstanceToPointInTimeCommand({
        SourceDBInstanceAutomatedBackupsArn: backupsArn,
        TargetDBInstanceIdentifier: 'from-backups',
        UseLatestRestorableTime: true,
        ...how,
      }),
    );
    [fromCopy, fromBackups] = await Promise.all([portOf('from-copy'), portOf('from-backups')]);
  });

  /** Its databases die at once, and no service of it answers any more: every call from here on is the other Region's. */
  function goDark(): void {
    const { pid } = site.cluster(identifier) ?? {};
    site.inject({
      service: '*',
      operation: '*',
      where: (_, { region }) => region === here,
      effect: { kind: 'throw', error: new AwsError('ServiceUnavailable', `${here} does not answer`) },
    });
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  }

  const portOf = (DBInstanceIdentifier: string) =>
    eventually(`${DBInstanceIdentifier} available`, async () => {
      const { DBInstances: [instance] = [] } = await clients(there).rds.send(
        new DescribeDBInstancesCommand({ DBInstanceIdentifier }),
      );
      return instance?.DBInstanceStatus === 'available' && instance.Endpoint?.Port;
    });
  const marksIn = async (port: number) =>
    (
      await site.sql<{ name: string }>(
        `select name from stocker.tenant where name like '% the backup' order by id`,
        port,
      )
    ).map(({ name }) => name);

  test('nothing of it answers', async () => {
    await expect(clients(here).rds.send(new DescribeDBInstancesCommand({}))).rejects.toThrow('does not answer');
    await expect(marksIn(site.installation.database.port)).rejects.toThrow();
  });

  test('the copied snapshot restores there, with what was written before it', async () => {
    expect(await marksIn(fromCopy)).toEqual(['before the backup']);
  });

  test('the replicated backups restore there, with what was written after it', async () => {
    expect(await marksIn(fromBackups)).toEqual(['before the backup', 'after the backup']);
  });

  test('the exported manifests make the application there, on the database that was restored', async () => {
    const { configuration, connection, cloud } = site.installation;
    const { application, canary } = configuration;
    const address = { address: '127.0.0.1', port: fromBackups };
    await writeParameters(there, connection, {
      [application.databaseEndpointParameter]: JSON.stringify(address),
      [canary.databaseEndpointParameter]: 'none',
    });
    const text = await read(exported, there);
    const { items } = JSON.parse(text) as { items: { kind: string }[] };
    expect(items.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['Namespace', 'Deployment', 'Service']));
    expect(text).not.toContain('Secret"');
    const { cluster, namespace, name } = application.deployment;
    const kubernetes = (cloud.service('eks', there) as EksService).kubernetes(cluster);
    for (const item of items) await kubernetes.apply(item);
    // The deployment of the pilot light has a service already, and no pods: they come with what was applied.
    const url = await kubernetes.address(namespace, name);
    const answer = await eventually('an application that is ready', async () => {
      const found = await fetch(`${url}/health/ready`).catch(() => undefined);
      return found?.ok && found;
    });
    expect(await answer.json()).toMatchObject({ status: 'ready' });
  });
});
