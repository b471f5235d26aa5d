/** The installation that every part of backup.test.ts is shown on, and what more than one of them asks of it. */
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { type DBInstance, ModifyDBInstanceCommand } from '@aws-sdk/client-rds';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, inject } from 'vitest';
import { clientsOf } from '../../../cli/clients.ts';
import { BackupRecord, type Part } from '../../../core/backup/contracts.ts';
import { type Ended, eventually, Rehearsal } from '../../support/rehearsal.ts';

export let site: Rehearsal;
export let here: string;
export let there: string;
export let identifier: string;
let machine: string;
/** What the daily backup leaves to those after it. */
export const left = {} as {
  /** The run that the schedule started. */
  daily: BackupRecord;
  /** Epoch milliseconds of the last row that was written before the Region went dark. */
  lastRowAt: number;
};

/** Makes `site` for the tests of the calling file, with a database that has a past. */
export function onOneInstallation(): void {
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
  afterAll(() => site?.stop());
}

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

export const clients = (region: string) => clientsOf(site.installation.connection, region);
/** A row by which a restored copy is known. */
export const mark = (name: string) => site.sql(`insert into stocker.tenant (name) values ('${name}')`);

export async function start(input: object = {}): Promise<Ended> {
  const { executionArn = '' } = await clients(here).sfn.send(
    new StartExecutionCommand({ stateMachineArn: machine, input: JSON.stringify(input) }),
  );
  return site.end(executionArn);
}

export async function recordOf({ arn }: Ended): Promise<BackupRecord> {
  const item = (await site.records()).find(
    ({ pk, run }) => pk === 'backup' && (run as { executionArn?: string }).executionArn === arn,
  );
  const { pk: _, sk: __, ttl: ___, ...record } = item ?? {};
  return BackupRecord.parse(record);
}
export const verdicts = ({ outcomes }: BackupRecord) =>
  Object.fromEntries(outcomes.map(({ part, verdict }) => [part, verdict])) as Partial<Record<Part, string>>;
export const said = ({ outcomes }: BackupRecord, part: Part) => outcomes.find((each) => each.part === part)?.summary;

/** What an object in S3 holds, by its `s3://…` location. */
export async function read(location: string, region: string): Promise<string> {
  const [, Bucket, Key, VersionId] = /^s3:\/\/([^/]+)\/([^?]+)(?:\?versionId=(.+))?$/.exec(location) ?? [];
  const { Body } = await clients(region).s3.send(new GetObjectCommand({ Bucket, Key, VersionId }));
  return (await Body?.transformToString()) ?? '';
}

/** As DescribeDBInstances shows it, but for the time that moves by itself. */
export async function production(): Promise<DBInstance> {
  const { LatestRestorableTime: _, ...instance } = await site.available(identifier);
  return instance;
}

export async function setRetention(BackupRetentionPeriod: number): Promise<void> {
  const change = { DBInstanceIdentifier: identifier, BackupRetentionPeriod };
  await clients(here).rds.send(new ModifyDBInstanceCommand(change));
  await eventually('the retention', async () => (await production()).BackupRetentionPeriod === BackupRetentionPeriod);
}

/** Half of a dump is left, as a CronJob that was killed leaves it. Returns what makes it whole again. */
export async function cutOff(dump: string): Promise<() => Promise<unknown>> {
  const { clients: own, configuration } = site.installation;
  const object = { Bucket: configuration.primary.dumpBucket, Key: configuration.database.dumpPrefix + dump };
  const { Body } = await own.s3.send(new GetObjectCommand(object));
  const file = (await Body?.transformToByteArray()) ?? new Uint8Array();
  const put = (content: Uint8Array) => own.s3.send(new PutObjectCommand({ ...object, Body: content }));
  await put(file.subarray(0, file.length >> 1));
  return () => put(file);
}

/** What functions of the product ask ModifyDBInstance for, from now on. */
export function observeModifications(): unknown[] {
  const seen: unknown[] = [];
  site.observe('rds', ['ModifyDBInstance'], (input, { principal }) => {
    if (principal.kind === 'role') seen.push(input);
    return false;
  });
  return seen;
}
