/** One installation on the embedded cloud for the tests of a file, and what they do to it and wait for: through the SDK, as an operator would. */

import { type DBInstance, DescribeDBInstancesCommand } from '@aws-sdk/client-rds';
import { paginateListExecutions, StartExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import type { Client } from 'pg';
import { connect, type Installation, install, switchAlarmRule } from '../../cli/installation.ts';
import type { IncidentRecord } from '../../core/incident/contracts.ts';
import { incidentId, requestKey } from '../../core/incident/identifiers.ts';
import type { FaultRule } from '../../local/faults.ts';
import { InstallationState } from './installation-state.ts';

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

export class Rehearsal extends InstallationState {
  /** Every message that was published to any topic, as SNS received it. */
  readonly notices: Notice[] = [];

  private constructor(installation: Installation) {
    super(installation);
    this.#standing();
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

  /** Forgets the faults of a test; what holds for all of them goes on. */
  clearFaults(): void {
    this.installation.cloud.faults.clear();
    this.#standing();
  }

  #standing(): void {
    this.watchTopics();
    // A machine that is busier than in an earlier test makes no copy slow: the limit decides alone.
    this.installation.cloud.faults.inject({
      service: 'dynamodb',
      operation: 'GetItem',
      where: ({ Key }: { Key?: { pk?: { S?: string } } }) => Key?.pk?.S === 'performance',
      effect: { kind: 'answer', output: {} },
    });
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
    await eventually(
      'silence of every alarm',
      async () => Object.values(await this.alarms()).every((state) => state === 'OK'),
      async () => JSON.stringify(await this.alarms()),
    );
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
}

function readJson(text: string | undefined): Record<string, string> | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '');
    return typeof value === 'object' && value !== null ? (value as Record<string, string>) : undefined;
  } catch {
    return undefined;
  }
}
