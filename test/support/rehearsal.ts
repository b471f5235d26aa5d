/** One installation on the embedded cloud for the tests of a file, and what they ask of it: through the SDK, as an operator would. */

import { DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import {
  CloudWatchLogsClient,
  paginateDescribeLogGroups,
  paginateFilterLogEvents,
} from '@aws-sdk/client-cloudwatch-logs';
import { type AttributeValue, paginateQuery, paginateScan } from '@aws-sdk/client-dynamodb';
import {
  type DBInstance,
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
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { Client } from 'pg';
import { clientsOf } from '../../cli/clients.ts';
import { connect, type Installation, install, switchAlarmRule } from '../../cli/installation.ts';
import { namesOf, settingsOf } from '../../config/names.ts';
import { Report } from '../../core/evidence/contracts.ts';
import { ActiveDatabase, IncidentRecord, Lease, MessageRecord, StepRecord } from '../../core/incident/contracts.ts';
import { candidateIdentifier, databaseAlarmPrefix, incidentId, requestKey } from '../../core/incident/identifiers.ts';
import type { FaultRule } from '../../local/faults.ts';
import type { RdsService } from '../../local/services/rds/index.ts';

export interface RehearsalOptions {
  readonly environment: 'production' | 'staging';
  /** Directory of the synthesized assembly. */
  readonly assembly: string;
  readonly rows?: number;
  readonly clockFactor?: number;
  /** Whether readiness is looked at every half hour, here half a minute: seconds of a core each time. */
  readonly readiness?: boolean;
  /** Whether the DR Region stands by, with its replica and what watches the primary. */
  readonly standby?: boolean;
  /** Without its replica, where the assembly protects by replicated backups instead. */
  readonly replica?: boolean;
  /** Whether functions share a thread; without, each has its own, with its limit of memory, as on the command line. */
  readonly sharesThread?: boolean;
  /** Whether the cluster is watched every minute, here every second. */
  readonly cluster?: boolean;
}

/** How an execution ended. */
export interface Ended {
  readonly arn: string;
  readonly incident: string;
  readonly status: string;
  readonly error: string | undefined;
  readonly cause: string;
  readonly output: unknown;
}

export interface Notice {
  readonly topicArn: string;
  readonly subject: string;
  readonly text: string;
  readonly chat: unknown;
}

/** Bounds what never comes, not how fast the machine is: seconds on a quiet one are a minute beside other runs. */
const patienceMs = 120_000;

/**
 * Resolves with the first value that is neither undefined nor false; says what was waited for, and with `why` how things
 * stand, when it never comes.
 */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  why: () => Promise<string> = async () => '',
) {
  const until = performance.now() + patienceMs;
  let pause = 20;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found as T;
    if (performance.now() > until)
      throw new Error(`within ${patienceMs / 1000} s there was never ${what} ${await why()}`.trim());
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(pause * 1.5, 250); // a look costs as much as a step: what takes long is looked at seldom
  }
}

type Pages = AsyncIterable<{ readonly Items?: readonly Record<string, AttributeValue>[] }>;

async function itemsOf(pages: Pages): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  for await (const { Items = [] } of pages) found.push(...Items.map((item) => unmarshall(item)));
  return found;
}

export class Rehearsal {
  readonly installation: Installation;
  readonly region: string;
  readonly names: ReturnType<typeof namesOf>;
  readonly machine: string;
  /** Every message that was published to any topic, as SNS received it. */
  readonly notices: Notice[] = [];

  private constructor(installation: Installation) {
    this.installation = installation;
    this.region = installation.configuration.primary.region;
    this.names = namesOf(installation.configuration);
    this.machine = this.names.stateMachineArn(this.region, 'database-recovery');
    this.watchTopics();
  }

  static async start(options: RehearsalOptions): Promise<Rehearsal> {
    const {
      environment,
      assembly,
      rows = 2000,
      clockFactor = 60,
      readiness = false,
      standby = false,
      replica = true,
      cluster = false,
      sharesThread = true,
    } = options;
    const site = new Rehearsal(
      await install({ environment, assembly, rows, clockFactor, standby, replica, sharesThread }),
    );
    const { cloud } = site.installation;
    const unwanted = [...(readiness ? [] : ['readiness']), ...(cluster ? [] : ['cluster-watch'])];
    for (const region of cloud.regions)
      for (const name of unwanted)
        await cloud.call('scheduler', 'DeleteSchedule', { Name: `${site.names.prefix}-${name}` }, region);
    return site;
  }

  stop(): Promise<void> {
    return this.installation.stop();
  }

  /** Forgets the faults of a test; its own observation goes on. */
  clearFaults(): void {
    this.installation.cloud.faults.clear();
    this.watchTopics();
  }

  private watchTopics(): void {
    this.installation.cloud.faults.inject({
      service: 'sns',
      operation: 'Publish',
      where: ({ TopicArn = '', Subject = '', Message = '' }) => {
        const forms = readJson(Message);
        const text = forms?.default ?? Message;
        this.notices.push({ topicArn: TopicArn, subject: Subject, text, chat: readJson(forms?.https) });
        return false;
      },
      effect: { kind: 'delay', ms: 0 },
    });
  }

  async begin(input: unknown, stateMachineArn = this.machine): Promise<string> {
    const command = new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) });
    const { executionArn = '' } = await this.installation.clients.sfn.send(command);
    return executionArn;
  }

  /** Waits for the end of an execution, of the primary Region unless said otherwise. */
  async end(executionArn: string, region = this.region): Promise<Ended> {
    const look = async () => {
      const { status, error, cause, input, output, startDate } = await this.execution(executionArn, region);
      if (status === undefined || status === 'RUNNING') return undefined;
      const request = JSON.parse(input ?? '{}');
      const incident = incidentId('drill', startDate?.toISOString() ?? '', requestKey(request, executionArn));
      return { arn: executionArn, incident, status, error, cause: cause ?? '', output: output && JSON.parse(output) };
    };
    return eventually(`an end of ${executionArn}`, look, async () => {
      const last = (await this.history(executionArn))
        .slice(-6)
        .map(({ type, stateEnteredEventDetails: entered }) => `${type} ${entered?.name ?? ''}`);
      return `${await this.failedSteps(executionArn)}, last: ${last.join(', ')}`;
    });
  }

  async execution(executionArn: string, region = this.region): Promise<DescribeExecutionCommandOutput> {
    const { sfn } = clientsOf(this.installation.connection, region);
    return sfn.send(new DescribeExecutionCommand({ executionArn }));
  }

  /** What went wrong so far, or is not over: of one execution, or of all. */
  private async failedSteps(executionArn?: string): Promise<string> {
    const steps = (await this.records()).filter(
      ({ sk, execution, status }) =>
        String(sk).startsWith('step#') && status !== 'succeeded' && execution === (executionArn ?? execution),
    );
    return `(${steps.map(({ step, status, attempts, summary }) => `${step} ${status}, attempt ${attempts}: ${summary}`).join('; ')})`;
  }

  /** Ends what a test that failed has left running, so that the next one stands for itself. */
  async stopAll(): Promise<void> {
    const { clients } = this.installation;
    const running = { stateMachineArn: this.machine, statusFilter: 'RUNNING' } as const;
    for await (const { executions = [] } of paginateListExecutions({ client: clients.sfn }, running))
      for (const { executionArn = '' } of executions) await this.halt(executionArn);
    await eventually('a free lease', async () => (await this.lease()) === undefined);
  }

  /** Starts a drill by hand and waits for its end. */
  async drill(input: Readonly<Record<string, unknown>> = {}): Promise<Ended> {
    return this.end(await this.begin({ reason: 'end-to-end test', ...input }));
  }

  async executions(): Promise<string[]> {
    const found: string[] = [];
    const pages = paginateListExecutions({ client: this.installation.clients.sfn }, { stateMachineArn: this.machine });
    for await (const { executions = [] } of pages) found.push(...executions.map((each) => each.executionArn ?? ''));
    return found;
  }

  async halt(executionArn: string, cause = 'stopped by a test'): Promise<void> {
    await this.installation.clients.sfn.send(new StopExecutionCommand({ executionArn, cause }));
  }

  /**
   * Suspends the next invocation of a step until `run` has ended; a failure of `run` is the returned promise's, and so is
   * that the step is never reached.
   */
  atStep<T>(step: string, run: () => Promise<T>): Promise<T> {
    let finish: (result: Promise<T>) => void = () => undefined;
    let isReached = false;
    const done = new Promise<T>((resolve, reject) => {
      finish = (result) => {
        isReached = true;
        resolve(result);
      };
      eventually(
        `a call of ${step}`,
        () => isReached,
        () => this.failedSteps(),
      ).catch(reject);
    });
    done.catch(() => undefined); // whoever awaits it is told
    this.installation.cloud.faults.inject({
      service: 'lambda',
      operation: 'Invoke',
      where: ({ Payload }) => readJson(Buffer.from(Payload ?? []).toString())?.step === step,
      times: 1,
      effect: {
        kind: 'hold',
        until: async () => {
          const result = run();
          finish(result);
          await result.catch(() => undefined);
        },
      },
    });
    return done;
  }

  /** Names of those of these operations that are called from now on. */
  observe(service: FaultRule['service'], operations: readonly string[], isMeant: FaultRule['where'] = () => true) {
    const seen: string[] = [];
    for (const operation of operations)
      this.inject({
        service,
        operation,
        where: (input, call) => {
          if (isMeant(input, call)) seen.push(operation);
          return false;
        },
        effect: { kind: 'delay', ms: 0 },
      });
    return seen;
  }

  inject(rule: FaultRule): () => void {
    return this.installation.cloud.faults.inject(rule);
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
  /** Waits until an incident is closed or failed, and its lease given back, which is done last. */
  over(id: string): Promise<IncidentRecord> {
    const look = async () => {
      const record = await this.incident(id);
      const isOver = record?.status !== 'open' && (await this.lease())?.incidentId !== id;
      return isOver ? record : undefined;
    };
    return eventually(`an end of ${id}`, look, async () => {
      const { steps } = await this.recordsOf(id);
      return steps.map(({ step, status, summary }) => `${step} ${status}: ${summary}`).join('\n');
    });
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

  async available(DBInstanceIdentifier: string): Promise<DBInstance> {
    return eventually(`${DBInstanceIdentifier} available`, async () => {
      const command = new DescribeDBInstancesCommand({ DBInstanceIdentifier });
      const { DBInstances = [] } = await this.installation.clients.rds.send(command);
      return DBInstances[0]?.DBInstanceStatus === 'available' && DBInstances[0];
    });
  }

  /** Resolves once a restore of production to this moment is possible. */
  async restorable(moment: number): Promise<void> {
    const { identifier } = await this.active();
    await eventually(`a restore window beyond ${new Date(moment).toISOString()}`, async () => {
      const { LatestRestorableTime } = await this.available(identifier);
      return (LatestRestorableTime?.getTime() ?? 0) > moment;
    });
  }

  /** States of the alarms that tell of a lost or damaged database, by name. */
  async alarms(): Promise<Record<string, string>> {
    const AlarmNamePrefix = databaseAlarmPrefix(this.installation.configuration.environment);
    const command = new DescribeAlarmsCommand({ AlarmNamePrefix });
    const { MetricAlarms = [] } = await this.installation.clients.cloudwatch.send(command);
    return Object.fromEntries(MetricAlarms.map(({ AlarmName = '', StateValue = '' }) => [AlarmName, StateValue]));
  }

  /**
   * For drills that are about something else than detection: a scaled heartbeat is due every second, and one that is late
   * on a busy machine would be an incident, to which a drill gives way.
   */
  async ignoreAlarms(): Promise<void> {
    await switchAlarmRule('DisableRule', this.installation.configuration, this.installation.cloud);
    await this.stopAll();
  }

  async heedAlarms(): Promise<void> {
    await switchAlarmRule('EnableRule', this.installation.configuration, this.installation.cloud);
  }

  /** Resolves once alarms are quiet and the restore window holds what is there now, heartbeats among it. */
  async settled(): Promise<void> {
    await this.restorable(Date.now() + 1000);
    await eventually('silence of every alarm', async () =>
      Object.values(await this.alarms()).every((state) => state === 'OK'),
    );
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

  /** Runs statements as the master user of production, or of the database at another port. */
  async sql<T extends object = Record<string, unknown>>(text: string, port?: number): Promise<T[]> {
    const { database, configuration, cloud } = this.installation;
    const at = { ...database, port: port ?? (await this.active()).port };
    const client: Client = await connect(at, configuration.database.name, cloud.certificateAuthority);
    try {
      const result = await client.query<T>(text);
      return result.rows;
    } finally {
      await client.end();
    }
  }

  async secrets(): Promise<{ username: string; password: string }[]> {
    const { database } = this.installation.configuration;
    const client = new SecretsManagerClient({ ...this.installation.connection, region: this.region });
    const roles = [database.heartbeatRole, database.sentinelRole, ...database.applicationRoles];
    const ids = [database.masterSecretName, ...roles.map(({ secretName }) => secretName)];
    const values = await Promise.all(ids.map((SecretId) => client.send(new GetSecretValueCommand({ SecretId }))));
    return values.map(({ SecretString = '' }) => JSON.parse(SecretString));
  }

  async history(executionArn: string): Promise<HistoryEvent[]> {
    const events: HistoryEvent[] = [];
    const client = this.installation.clients.sfn;
    for await (const page of paginateGetExecutionHistory({ client }, { executionArn, includeExecutionData: true }))
      events.push(...(page.events ?? []));
    return events;
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

function readJson(text: string | undefined): Record<string, string> | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '');
    return typeof value === 'object' && value !== null ? (value as Record<string, string>) : undefined;
  } catch {
    return undefined;
  }
}
