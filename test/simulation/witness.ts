/** Sees a run from the outside: what the cloud was asked, who could write where, what executions went through. */
import type { Call } from '../../local/kernel.ts';
import type { ModelledServer } from '../../local/postgres-model/server.ts';
import type { RdsService, Standing } from '../../local/services/rds/index.ts';
import type { SfnService } from '../../local/services/sfn/index.ts';
import type { Site } from './site.ts';
import type { Story } from './story.ts';

/** One execution of a state machine. */
export interface Seen {
  readonly arn: string;
  readonly region: string;
  readonly input: { mode?: string; style?: string; waiver?: unknown };
  readonly startedAt: number;
  endedAt?: number;
  status: string;
  /** What it failed with. */
  error?: string;
  readonly states: { readonly name: string; readonly at: number; readonly output?: string }[];
}

export interface Violation {
  /** Of design.md, by its number. */
  readonly invariant: number;
  readonly what: string;
}

/** A database that production's endpoint was pointed at. */
export interface Move {
  readonly at: number;
  readonly identifier: string;
  readonly server: ModelledServer;
}

const watchMs = 100;

export class Witness {
  readonly executions = new Map<string, Seen>();
  readonly violations: Violation[] = [];
  readonly moves: Move[] = [];
  readonly #site: Site;
  readonly #story: Story;
  /** Told of who takes the application's writes, at every change. */
  judgeAccepting = (accepting: readonly string[]): void => this.#neverTwo(accepting);
  #both = '';
  /** Instances that functions of the product asked RDS for. */
  readonly #restored = new Set<string>();
  #change = Promise.withResolvers<void>();

  constructor(site: Site, story: Story) {
    this.#site = site;
    this.#story = story;
    for (const region of site.cloud.regions) this.#followExecutions(region);
    this.#followEndpoint();
    this.#followTriage();
    this.#followDeletions();
    this.#followRestores();
  }

  /** Resolves when a database or an execution has changed, at the next tick of a watch that looks ten times a second. */
  async changed(): Promise<void> {
    const { clock } = this.#site.world;
    const begun = clock.now();
    await this.#change.promise;
    await clock.sleep(watchMs - ((clock.now() - begun) % watchMs));
  }

  #tellChange(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }

  violate(invariant: number, what: string): void {
    if (this.violations.some((each) => each.invariant === invariant && each.what === what)) return;
    this.violations.push({ invariant, what });
    this.#story.tell(`VIOLATED invariant ${invariant}: ${what}`);
  }

  /** Whether a function of the product asked RDS for it. */
  isOurs(identifier: string): boolean {
    return this.#restored.has(identifier);
  }

  standing(): readonly (Standing & { readonly region: string })[] {
    return this.#site.cloud.regions.flatMap((region) =>
      (this.#site.cloud.service('rds', region) as RdsService).standing().map((each) => ({ ...each, region })),
    );
  }

  serverOf(port: number | undefined): ModelledServer | undefined {
    return this.#site.databases.find((each) => each.port === port);
  }

  /** Databases that take the application's writes now: it reaches them, and may log in or has sessions there. */
  accepting(): string[] {
    const { primary, dr, database } = this.#site.configuration;
    const open = new Set([...primary.databaseSecurityGroupIds, ...dr.databaseSecurityGroupIds]);
    const role = database.applicationRoles[0]?.name ?? '';
    return this.standing()
      .filter(({ port, securityGroups }) => {
        const server = this.serverOf(port);
        if (server === undefined || server.following !== undefined) return false; // a replica takes nobody's
        return server.mayWrite(role) && securityGroups.some((id) => open.has(id));
      })
      .map(({ identifier }) => identifier);
  }

  lookAtDatabases(): void {
    this.#tellChange();
    this.judgeAccepting(this.accepting());
  }

  /** Invariant 1. */
  #neverTwo(accepting: readonly string[]): void {
    const both = accepting.length > 1 ? accepting.join(' and ') : '';
    if (both !== '' && both !== this.#both) this.violate(1, `${both} take the application's writes at the same time`);
    this.#both = both;
  }

  #followExecutions(region: string): void {
    const sfn = this.#site.cloud.service('sfn', region) as SfnService;
    sfn.onHistory((arn, event) => {
      this.#tellChange();
      const at = this.#site.world.clock.now();
      const known = this.executions.get(arn);
      if (known === undefined) {
        const input = JSON.parse(event.executionStartedEventDetails?.input ?? '{}');
        this.executions.set(arn, { arn, region, input, startedAt: at, status: 'RUNNING', states: [] });
        this.#story.tell(`${nameOf(arn)} starts in ${region}: ${JSON.stringify(input).slice(0, 160)}`);
        return;
      }
      const entered = event.stateEnteredEventDetails?.name;
      if (entered !== undefined) {
        known.states.push({ name: entered, at });
        if (!quietStates.has(entered)) this.#story.tell(`${nameOf(arn)} › ${entered}`);
      }
      const exited = event.stateExitedEventDetails;
      if (exited?.output !== undefined) known.states.push({ name: `${exited.name} ended`, at, output: exited.output });
      const failed = event.taskFailedEventDetails ?? event.lambdaFunctionFailedEventDetails;
      if (failed?.cause?.includes('the modelled PostgreSQL does not know')) this.violate(0, causeOf(failed.cause));
      if (failed?.error && !waits.has(failed.error))
        this.#story.tell(`${nameOf(arn)}   ${failed.error}: ${causeOf(failed.cause)}`);
      const end = /^Execution(Succeeded|Failed|Aborted|TimedOut)$/.exec(event.type ?? '')?.[1];
      if (end !== undefined) {
        known.status = end;
        known.endedAt = at;
        const { error } = event.executionFailedEventDetails ?? {};
        if (error !== undefined) known.error = error;
        this.#story.tell(`${nameOf(arn)} ends: ${end} ${event.executionFailedEventDetails?.error ?? ''}`);
      }
    });
  }

  /** Calls back before an operation, allowed or not, or after it took effect. */
  #at(
    moment: 'before' | 'after',
    service: Parameters<Site['call']>[0],
    operation: string,
    see: (input: never, call: Call) => void,
  ): void {
    this.#site.cloud.faults.inject({
      service,
      operation,
      effect: { kind: moment === 'before' ? 'deny' : 'lose-answer' },
      where(input, call) {
        see(input as never, call);
        return false;
      },
    });
  }

  /** Invariant 2: what production's endpoint is pointed at must be what a gate would let through. */
  #followEndpoint(): void {
    const { databaseEndpointParameter } = this.#site.configuration.application;
    this.#at('after', 'ssm', 'PutParameter', ({ Name, Value }: { Name: string; Value: string }) => {
      if (Name !== databaseEndpointParameter || Value === 'none') return;
      const { port } = JSON.parse(Value) as { port: number };
      const server = this.serverOf(port);
      const identifier = this.standing().find((each) => each.port === port)?.identifier ?? `port ${port}`;
      this.#story.tell(`production's endpoint is ${identifier}`);
      if (server === undefined) return this.violate(2, `production's endpoint is port ${port}, where no database is`);
      this.moves.push({ at: this.#site.world.clock.now(), identifier, server });
      this.#judgeOrigin(server, identifier);
      const wrong = whatIsWrong(server);
      // Back to where it was is an undo, and moves nobody to a copy.
      if (wrong !== undefined && server !== this.#site.databases[0])
        this.violate(2, `production moved to ${identifier}, where ${wrong}`);
    });
  }

  /** Invariant 6: what triage starts, an alarm that rings now must have asked for. */
  #followTriage(): void {
    this.#at('after', 'sfn', 'StartExecution', ({ input, name }: { input: string; name?: string }, call) => {
      const { trigger } = JSON.parse(input) as { trigger?: { kind: string; name?: string } };
      if (trigger?.kind !== 'alarm') return;
      const { region } = call;
      void this.#site
        .call<{ MetricAlarms: { StateValue: string }[]; CompositeAlarms: { StateValue: string }[] }>(
          'cloudwatch',
          'DescribeAlarms',
          { AlarmNames: [trigger.name], AlarmTypes: ['CompositeAlarm', 'MetricAlarm'] },
          region,
        )
        .then(({ MetricAlarms, CompositeAlarms }) => {
          const [alarm] = [...MetricAlarms, ...CompositeAlarms];
          if (alarm?.StateValue !== 'ALARM')
            this.violate(6, `${name} was started for ${trigger.name}, which is ${alarm?.StateValue ?? 'no alarm'}`);
        });
    });
  }

  /** Invariant 4: only copies of drills and backups are ever deleted, the former only by the drill that made them. */
  #followDeletions(): void {
    const { drillPrefix } = this.#site.configuration.database;
    const owners = new Map<string, string | undefined>();
    type Input = { DBInstanceIdentifier: string };
    this.#at('before', 'rds', 'DeleteDBInstance', ({ DBInstanceIdentifier: id }: Input) => {
      const tags = this.standing().find(({ identifier }) => identifier === id)?.tags;
      owners.set(id, tags?.get('stocker-dr:incident'));
    });
    this.#at('after', 'rds', 'DeleteDBInstance', ({ DBInstanceIdentifier: id }: Input, call) => {
      if (call.principal.kind !== 'role') return;
      this.#story.tell(`${id} is deleted by ${call.principal.sessionName}`);
      if (!id.startsWith(drillPrefix)) this.violate(4, `${id} was deleted`);
      const owner = owners.get(id);
      if (owner === undefined || !id.endsWith(owner.slice(-8)))
        this.violate(4, `${id}, which is of ${owner ?? 'nobody'}, was deleted`);
    });
    this.#at(
      'after',
      'rds',
      'DeleteDBSnapshot',
      ({ DBSnapshotIdentifier: id }: { DBSnapshotIdentifier: string }, call) => {
        if (call.principal.kind === 'role' && !id.startsWith('dr-backup-'))
          this.violate(4, `the snapshot ${id} was deleted`);
      },
    );
  }

  #followRestores(): void {
    type Input = { TargetDBInstanceIdentifier?: string; DBInstanceIdentifier?: string };
    const see = (input: Input, call: Call) => {
      const name = input.TargetDBInstanceIdentifier ?? input.DBInstanceIdentifier ?? '';
      if (call.principal.kind === 'role') this.#restored.add(name);
    };
    for (const operation of [
      'RestoreDBInstanceToPointInTime',
      'RestoreDBInstanceFromDBSnapshot',
      'CreateDBInstance',
      'CreateDBInstanceReadReplica',
      'PromoteReadReplica',
    ])
      this.#at('after', 'rds', operation, see);
    this.#at('after', 'rds', 'ModifyDBInstance', (change: { DBInstanceIdentifier: string }, call) => {
      const { DBInstanceIdentifier: id, ...fields } = change;
      // The one exception: a retention that has drifted is raised (ADR 0025).
      const raises = Object.keys(fields).join() === 'BackupRetentionPeriod';
      if (call.principal.kind === 'role' && !this.#restored.has(id) && !raises)
        this.violate(4, `${id}, which no recovery restored, was modified by ${call.principal.sessionName}`);
    });
  }

  /** Invariant 2: what becomes production was restored, and to the time that was decided. */
  #judgeOrigin(server: ModelledServer, identifier: string): void {
    if (server === this.#site.databases[0]) return;
    const { restoredTo } = server;
    if (!this.#restored.has(identifier))
      this.violate(2, `${identifier} became production, and no recovery restored it`);
    const decided = [...this.executions.values()]
      .flatMap(({ states }) => states)
      .map(({ output = '' }) => output)
      .filter((output) => output.includes(`"candidate":"${identifier}"`))
      // Where a retry finishes a cut-over, nothing is decided any more: its plan tells of the moment that was promised then.
      .filter((output) => !output.includes('"resume":"cut-over"'))
      .map((output) => /"restore":\{"kind":"time","at":"(\d[^"]+)"/.exec(output)?.[1])
      .findLast((at) => at !== undefined);
    const isTime = restoredTo !== undefined && restoredTo !== 'backup';
    if (decided !== undefined && isTime && Date.parse(decided) !== Date.parse(restoredTo))
      this.violate(2, `${identifier} was restored to ${restoredTo}; ${decided} was decided`);
  }
}

/** Errors that only say: not yet. */
const waits = new Set([
  'DatabaseNotReady',
  'SnapshotNotReady',
  'StillDeleting',
  'WorkloadNotReady',
  'ApplicationNotReady',
  'ReplicaBehind',
  'StandbyNotReady',
  'TrafficNotMoved',
]);

/** Entered all the time, and of no interest in a story. */
const quietStates = new Set(['CheckGate', 'CheckDeep', 'GateFinished', 'DeepFinished']);

export const nameOf = (arn: string): string => arn.split(':').at(-1)?.slice(0, 40) ?? arn;

/** What a gate must find (postgres-facts): rotten heaps, tables that are gone, sums that do not agree. */
function whatIsWrong({ content }: ModelledServer): string | undefined {
  const rotten = [...content.pages].find(([, kind]) => kind === 'heap')?.[0];
  if (rotten !== undefined) return `a page of ${rotten} is rotten`;
  const [dropped] = content.dropped;
  if (dropped !== undefined) return `${dropped} is gone`;
  return content.inconsistent ? 'stock does not equal its movements' : undefined;
}

function causeOf(cause: string | undefined): string {
  try {
    return (JSON.parse(cause ?? '') as { errorMessage: string }).errorMessage.split('\n')[0]?.slice(0, 200) ?? '';
  } catch {
    return (cause ?? '').slice(0, 200);
  }
}
