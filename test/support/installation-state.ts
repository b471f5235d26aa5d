/** What stands in an installation and what it has on record, as an operator would look it up through the SDK: nothing is changed. */
import { DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import {
  CloudWatchLogsClient,
  paginateDescribeLogGroups,
  paginateFilterLogEvents,
} from '@aws-sdk/client-cloudwatch-logs';
import { type AttributeValue, paginateQuery, paginateScan } from '@aws-sdk/client-dynamodb';
import {
  DescribeDBInstanceAutomatedBackupsCommand,
  DescribeDBInstancesCommand,
  paginateDescribeDBInstances,
  type RDSClient,
} from '@aws-sdk/client-rds';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  DescribeExecutionCommand,
  type DescribeExecutionCommandOutput,
  type HistoryEvent,
  paginateGetExecutionHistory,
  paginateListExecutions,
} from '@aws-sdk/client-sfn';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { clientsOf } from '../../cli/clients.ts';
import type { Installation } from '../../cli/installation.ts';
import { namesOf, settingsOf } from '../../config/names.ts';
import { Report } from '../../core/evidence/contracts.ts';
import { ActiveDatabase, IncidentRecord, Lease, MessageRecord, StepRecord } from '../../core/incident/contracts.ts';
import { candidateIdentifier, databaseAlarmPrefix, requestKey } from '../../core/incident/identifiers.ts';
import type { RdsService } from '../../local/services/rds/index.ts';

type Pages = AsyncIterable<{ readonly Items?: readonly Record<string, AttributeValue>[] }>;

async function itemsOf(pages: Pages): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  for await (const { Items = [] } of pages) found.push(...Items.map((item) => unmarshall(item)));
  return found;
}

export abstract class InstallationState {
  readonly installation: Installation;
  readonly region: string;
  readonly names: ReturnType<typeof namesOf>;
  readonly machine: string;

  protected constructor(installation: Installation) {
    this.installation = installation;
    this.region = installation.configuration.primary.region;
    this.names = namesOf(installation.configuration);
    this.machine = this.names.stateMachineArn(this.region, 'database-recovery');
  }

  async execution(executionArn: string, region = this.region): Promise<DescribeExecutionCommandOutput> {
    const { sfn } = clientsOf(this.installation.connection, region);
    return sfn.send(new DescribeExecutionCommand({ executionArn }));
  }

  async executions(): Promise<string[]> {
    const found: string[] = [];
    const pages = paginateListExecutions({ client: this.installation.clients.sfn }, { stateMachineArn: this.machine });
    for await (const { executions = [] } of pages) found.push(...executions.map((each) => each.executionArn ?? ''));
    return found;
  }

  async history(executionArn: string): Promise<HistoryEvent[]> {
    const events: HistoryEvent[] = [];
    const client = this.installation.clients.sfn;
    for await (const page of paginateGetExecutionHistory({ client }, { executionArn, includeExecutionData: true }))
      events.push(...(page.events ?? []));
    return events;
  }

  /** What went wrong so far, or is not over: of one execution, or of all. */
  protected async failedSteps(executionArn?: string): Promise<string> {
    const steps = (await this.records()).filter(
      ({ sk, execution, status }) =>
        String(sk).startsWith('step#') && status !== 'succeeded' && execution === (executionArn ?? execution),
    );
    return `(${steps.map(({ step, status, attempts, summary }) => `${step} ${status}, attempt ${attempts}: ${summary}`).join('; ')})`;
  }

  private items(table: string, region = this.region) {
    const { dynamodb: client } = clientsOf(this.installation.connection, region);
    return itemsOf(paginateScan({ client }, { TableName: table, ConsistentRead: true }));
  }

  /** The incident table grows with every test: what is looked at often reads no other's items. */
  private partition(pk: string) {
    const { dynamodb: client } = this.installation.clients;
    const key = { KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': { S: pk } } };
    return itemsOf(paginateQuery({ client }, { TableName: this.names.incidentTable, ConsistentRead: true, ...key }));
  }

  records = () => this.items(this.names.incidentTable);
  controls = () => this.items(this.names.controlTable, this.installation.configuration.dr.region);

  async incident(id: string): Promise<IncidentRecord | undefined> {
    const { incidents } = await this.recordsOf(id);
    return incidents[0];
  }

  async incidents(): Promise<IncidentRecord[]> {
    return (await this.records()).filter(({ sk }) => sk === 'incident').map((item) => IncidentRecord.parse(bare(item)));
  }

  async recordsOf(id: string) {
    const own = await this.partition(`incident#${id}`);
    const kind = (prefix: string) => own.filter(({ sk }) => String(sk).startsWith(prefix)).map(bare);
    return {
      incidents: kind('incident').map((item) => IncidentRecord.parse(item)),
      steps: kind('step#').map((item) => StepRecord.parse(item)),
      messages: kind('message#').map((item) => MessageRecord.parse(item)),
    };
  }

  async step(id: string, name: string): Promise<StepRecord | undefined> {
    const { steps } = await this.recordsOf(id);
    return steps.find(({ step, piece }) => step === name && piece === undefined);
  }

  /** report.json, as it is in the evidence bucket. */
  async report(id: string): Promise<Report> {
    const [, Bucket, Key] = /^s3:\/\/([^/]+)\/(.+)$/.exec((await this.incident(id))?.reports?.json ?? '') ?? [];
    const { Body } = await this.installation.clients.s3.send(new GetObjectCommand({ Bucket, Key }));
    return Report.parse(JSON.parse((await Body?.transformToString()) ?? ''));
  }

  async decisions(): Promise<{ alarm: string; verdict: string; reasons: string[] }[]> {
    const found = await this.partition('decisions');
    return found.sort((a, b) => String(a.sk).localeCompare(String(b.sk))) as never;
  }

  async active(): Promise<ActiveDatabase> {
    const item = (await this.controls()).find(({ pk }) => pk === 'active-database');
    return ActiveDatabase.parse(bare(item ?? {}));
  }

  async lease(): Promise<Lease | undefined> {
    const item = (await this.controls()).find(({ pk }) => pk === 'lease');
    return item && Lease.parse(bare(item));
  }

  /** What a drill may leave nowhere: copies, their automated backups, its endpoint, the lease, an open incident. */
  async leftovers(): Promise<readonly string[]> {
    const { rds } = this.installation.clients;
    const { canary } = this.installation.configuration;
    const copies: string[] = [];
    for await (const { DBInstances = [] } of paginateDescribeDBInstances({ client: rds }, {}))
      copies.push(...DBInstances.map(({ DBInstanceIdentifier = '' }) => DBInstanceIdentifier));
    const { DBInstanceAutomatedBackups = [] } = await rds.send(new DescribeDBInstanceAutomatedBackupsCommand({}));
    const backups = DBInstanceAutomatedBackups.map((each) => each.DBInstanceIdentifier ?? '');
    const [active, endpoint, lease, incidents] = await Promise.all([
      this.active(),
      this.parameter(canary.databaseEndpointParameter),
      this.lease(),
      this.incidents(),
    ]);
    return [
      ...copies.filter((name) => name !== active.identifier).map((name) => `instance ${name}`),
      ...backups.filter((name) => name !== active.identifier).map((name) => `backups of ${name}`),
      ...(endpoint === 'none' ? [] : [`endpoint ${endpoint}`]),
      ...(lease ? [`lease of ${lease.incidentId}`] : []),
      ...incidents.filter(({ status }) => status === 'open').map(({ incident }) => `open incident ${incident.id}`),
    ];
  }

  /** `<replica> of <source>` for what follows, the identifier for anything else. */
  async instancesIn(rds: RDSClient): Promise<string[]> {
    const { DBInstances = [] } = await rds.send(new DescribeDBInstancesCommand({}));
    return DBInstances.map(({ DBInstanceIdentifier = '', ReadReplicaSourceDBInstanceIdentifier: source }) =>
      source === undefined ? DBInstanceIdentifier : `${DBInstanceIdentifier} of ${source.split(':').at(-1)}`,
    );
  }

  /** States of the alarms that tell of a lost or damaged database, by name. */
  async alarms(): Promise<Record<string, string>> {
    const AlarmNamePrefix = databaseAlarmPrefix(this.installation.configuration.environment);
    const command = new DescribeAlarmsCommand({ AlarmNamePrefix });
    const { MetricAlarms = [] } = await this.installation.clients.cloudwatch.send(command);
    return Object.fromEntries(MetricAlarms.map(({ AlarmName = '', StateValue = '' }) => [AlarmName, StateValue]));
  }

  async parameter(Name: string): Promise<string | undefined> {
    const client = new SSMClient({ ...this.installation.connection, region: this.region });
    return (await client.send(new GetParameterCommand({ Name }))).Parameter?.Value;
  }

  /** Name of the copy that a request makes. */
  candidateOf(incident: string): string {
    const { configuration } = this.installation;
    return candidateIdentifier(settingsOf(configuration), configuration.database.identifier, incident);
  }

  /** Name of the copy that a request with this id will make. */
  candidateOfRequest(requestId: string): string {
    return this.candidateOf(`drill-${requestKey({ requestId }, '')}`);
  }

  get rds(): RdsService {
    return this.installation.cloud.service('rds', this.region) as RdsService;
  }

  cluster(identifier: string) {
    return this.rds.clusterOf(identifier);
  }

  async secrets(): Promise<{ username: string; password: string }[]> {
    const { database } = this.installation.configuration;
    const client = new SecretsManagerClient({ ...this.installation.connection, region: this.region });
    const roles = [database.heartbeatRole, database.sentinelRole, ...database.applicationRoles];
    const ids = [database.masterSecretName, ...roles.map(({ secretName }) => secretName)];
    const values = await Promise.all(ids.map((SecretId) => client.send(new GetSecretValueCommand({ SecretId }))));
    return values.map(({ SecretString = '' }) => JSON.parse(SecretString));
  }

  /** Every line of every log group of the Region. */
  async logs(): Promise<string[]> {
    const client = new CloudWatchLogsClient({ ...this.installation.connection, region: this.region });
    const lines: string[] = [];
    for await (const { logGroups = [] } of paginateDescribeLogGroups({ client }, {}))
      for (const { logGroupName } of logGroups)
        for await (const { events = [] } of paginateFilterLogEvents({ client }, { logGroupName }))
          lines.push(...events.map(({ message = '' }) => `${logGroupName}: ${message}`));
    return lines;
  }
}

const bare = ({ pk: _pk, sk: _sk, ...record }: Record<string, unknown>) => record;
