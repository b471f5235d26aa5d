/** In-memory ports for the tests of the core: they keep the promises that core/<area>/ports.ts makes, and no more. */
import type { Dumps } from '../../core/database/dump/ports.ts';
import type { DatabaseInstance, DatabaseSnapshot, RestoreWindow } from '../../core/database/ports.ts';
import {
  type ActiveDatabase,
  type Approval,
  type ApprovalDecision,
  type Compensation,
  type Incident,
  type IncidentRecord,
  type Lease,
  type MessageRecord,
  recordVersion,
  type StepRecord,
  type TrendPoint,
} from '../../core/incident/contracts.ts';
import { keyOfIncident } from '../../core/incident/identifiers.ts';
import type {
  Announcement,
  Announcer,
  Approvals,
  Clock,
  Compensations,
  ControlStore,
  ExecutionStatus,
  Executions,
  IncidentStore,
  UndoOutcome,
} from '../../core/incident/ports.ts';
import { settings } from './settings.ts';

export { settings };

/** The plan's dumps, by name. */
export class FakeDumps implements Dumps {
  readonly files = new Map<string, Uint8Array>();
  async find(name: string) {
    const file = this.files.get(name);
    return file && { name, location: `s3://dumps/backups/${name}`, bytes: file.length };
  }
  async *read(name: string) {
    yield this.files.get(name) ?? new Uint8Array();
  }
}

export const executionArn =
  'arn:aws:states:us-east-1:111122223333:execution:stocker-dr-staging-database-recovery:drill-1';
export const openedAt = '2026-11-22T20:15:00.000Z';

export function makeIncident(change: Partial<Incident> = {}): Incident {
  return {
    id: 'drill-20261122T201500Z-1a2b3c4d',
    environment: 'staging',
    scenario: 'database',
    mode: 'drill',
    reason: 'monthly restore test',
    trigger: { kind: 'person' },
    region: 'us-east-1',
    executionArn,
    detectedAt: openedAt,
    target: 'stocker-pro-staging',
    restoreTo: 'latest',
    ...change,
  };
}

export function makeRecord(change: Partial<IncidentRecord> = {}, incident: Incident = makeIncident()): IncidentRecord {
  const { objectives } = settings;
  return { version: recordVersion, incident, status: 'open', openedAt, objectives, achieved: {}, ...change };
}

export function makeStepRecord(step: string, change: Partial<StepRecord> = {}): StepRecord {
  return {
    version: recordVersion,
    incidentId: makeIncident().id,
    step,
    status: 'succeeded',
    startedAt: openedAt,
    attempts: 1,
    summary: `${step} is done`,
    facts: {},
    ...change,
  };
}

/** A clock moved by hand. */
export class FakeClock implements Clock {
  time: Date;
  constructor(now: string = openedAt) {
    this.time = new Date(now);
  }
  now(): Date {
    return this.time;
  }
  advance(seconds: number): void {
    this.time = new Date(this.time.getTime() + seconds * 1000);
  }
}

export class FakeIncidents implements IncidentStore {
  readonly records = new Map<string, IncidentRecord>();
  readonly requests = new Map<string, string>();
  readonly timeline: StepRecord[] = [];
  readonly told: MessageRecord[] = [];
  readonly points: TrendPoint[] = [];
  readonly decisions: Parameters<IncidentStore['recordDecision']>[0][] = [];

  async open(record: IncidentRecord): Promise<boolean> {
    const { id } = record.incident;
    const earlier = this.requests.get(keyOfIncident(id)) ?? id;
    if (earlier !== id || this.records.has(id)) return false;
    this.requests.set(keyOfIncident(id), id);
    this.records.set(id, record);
    return true;
  }
  async findByRequest(key: string) {
    return this.requests.get(key);
  }
  async read(id: string) {
    return this.records.get(id);
  }
  async reopen(record: IncidentRecord, formerExecution: string) {
    const { id } = record.incident;
    if (this.records.get(id)?.incident.executionArn !== formerExecution) return false;
    this.records.set(id, record);
    return true;
  }
  async update(id: string, change: Parameters<IncidentStore['update']>[1]) {
    const record = this.records.get(id);
    if (!record) throw new Error(`no incident ${id}`);
    this.records.set(id, { ...record, ...change });
  }
  async close(
    { id, executionArn }: Parameters<IncidentStore['close']>[0],
    change: Parameters<IncidentStore['close']>[1],
  ) {
    const record = this.records.get(id);
    if (record?.status !== 'open' || record.incident.executionArn !== executionArn) return false;
    await this.update(id, change);
    return true;
  }
  async list(limit: number) {
    return [...this.records.values()].sort((a, b) => (a.openedAt < b.openedAt ? 1 : -1)).slice(0, limit);
  }
  async recordStep(record: StepRecord, { isFirst = record.status === 'running' } = {}) {
    const index = this.timeline.findIndex(({ step, piece }) => step === record.step && piece === record.piece);
    const known = this.timeline[index];
    if (!known) {
      this.timeline.push(record);
      return;
    }
    if (known.execution !== undefined && known.execution !== record.execution) {
      if (known.startedAt < record.startedAt) this.timeline[index] = record;
      return;
    }
    const { startedAt, summary, facts } = known;
    const attempts = known.attempts + (isFirst ? record.attempts : 0);
    const kept = record.status === 'running' ? { summary, facts } : {};
    this.timeline[index] = { ...record, startedAt, attempts, ...kept };
  }
  async steps() {
    return [...this.timeline];
  }
  async recordMessage(message: MessageRecord) {
    this.told.push(message);
  }
  async messages() {
    return [...this.told];
  }
  readonly claimed = new Set<string>();
  async claimMessage(incidentId: string, name: string) {
    const key = `${incidentId} ${name}`;
    if (this.claimed.has(key)) return false;
    this.claimed.add(key);
    return true;
  }
  async recordTrend(point: TrendPoint) {
    this.points.unshift(point);
  }
  async trend(_scenario: string, _mode: string, limit: number) {
    return this.points.slice(0, limit);
  }
  async recordDecision(decision: Parameters<IncidentStore['recordDecision']>[0]) {
    this.decisions.push(decision);
  }
  start: { name: string; at: string } | undefined;
  /** Of which recovery the start was claimed. */
  readonly claims: string[] = [];
  async claimStart(scenario: string, name: string, at: string, since: string) {
    this.claims.push(scenario);
    if (this.start && this.start.at >= since) return this.start.name;
    this.start = { name, at };
    return name;
  }
}

/** Keeps the tokens, as the adapter does, and what it handed to the executions. */
export class FakeApprovals implements Approvals {
  readonly asked = new Map<string, Approval & { readonly taskToken: string }>();
  readonly answered: { taskToken: string; decision: ApprovalDecision }[] = [];
  /** Tokens that no execution waits with any more. */
  readonly dead = new Set<string>();
  async ask(approval: Approval, taskToken: string) {
    if (this.asked.get(approval.incidentId)?.taskToken === taskToken) return false;
    this.asked.set(approval.incidentId, { ...approval, taskToken });
    return true;
  }
  async read(incidentId: string) {
    return this.asked.get(incidentId);
  }
  async decide({ incidentId }: Approval, decision: ApprovalDecision) {
    const asked = this.asked.get(incidentId);
    if (!asked || this.dead.has(asked.taskToken)) return { outcome: 'over' } as const;
    if (asked.decision) return { outcome: 'decided-before', first: asked.decision } as const;
    this.asked.set(incidentId, { ...asked, decision });
    this.answered.push({ taskToken: asked.taskToken, decision });
    return { outcome: 'decided' } as const;
  }
}

export class FakeCompensations implements Compensations {
  readonly all: Compensation[] = [];
  async register(incidentId: string, name: string, facts: Readonly<Record<string, unknown>>) {
    const open = await this.open(incidentId);
    if (open.some((each) => each.name === name && JSON.stringify(each.facts) === JSON.stringify(facts))) return;
    const number = this.all.length + 1;
    this.all.push({ version: recordVersion, incidentId, number, name, facts: { ...facts }, registeredAt: openedAt });
  }
  async open(incidentId?: string) {
    const isIts = (each: Compensation) => incidentId === undefined || each.incidentId === incidentId;
    return this.all.filter((each) => isIts(each) && each.doneAt === undefined).reverse();
  }
  async note({ number }: Compensation, outcome: UndoOutcome & Pick<Compensation, 'doneAt'>) {
    const known = this.all[number - 1];
    if (known) this.all[number - 1] = { ...known, ...outcome };
  }
  async done(compensation: Compensation, outcome: UndoOutcome) {
    await this.note(compensation, { ...outcome, doneAt: openedAt });
  }
  async last(incidentId: string, name: string) {
    return this.all.findLast((each) => each.incidentId === incidentId && each.name === name);
  }
}

export class FakeControl implements ControlStore {
  lease: Lease | undefined;
  active: ActiveDatabase | undefined = activeDatabase;

  async takeLease(lease: Lease) {
    if (this.lease && this.lease.executionArn !== lease.executionArn)
      return { taken: false, holder: this.lease } as const;
    this.lease = lease;
    return { taken: true } as const;
  }
  async replaceLease(lease: Lease, deadHolder: Lease) {
    if (this.lease?.executionArn !== deadHolder.executionArn) return false;
    this.lease = lease;
    return true;
  }
  async readLease() {
    return this.lease;
  }
  async releaseLease(arn: string) {
    if (this.lease?.executionArn === arn) this.lease = undefined;
  }
  async readActiveDatabase() {
    return this.active;
  }
  async registerActiveDatabase(record: ActiveDatabase) {
    if (this.active) return false;
    this.active = record;
    return true;
  }
  async confirmActiveDatabase(record: ActiveDatabase) {
    if (this.active?.epoch !== record.epoch) return false;
    this.active = { ...record, epoch: record.epoch + 1 };
    return true;
  }
  async advanceActiveDatabase(record: ActiveDatabase, expectedEpoch: number, arn: string) {
    if (this.active?.epoch !== expectedEpoch || this.lease?.executionArn !== arn) return false;
    this.active = record;
    return true;
  }
}

export function makeLease(change: Partial<Lease> = {}): Lease {
  const { id, mode, scenario } = makeIncident();
  return {
    version: recordVersion,
    incidentId: id,
    executionArn,
    region: 'us-east-1',
    mode,
    scenario,
    takenAt: openedAt,
    ...change,
  };
}

export class FakeExecutions implements Executions {
  readonly statuses = new Map<string, ExecutionStatus>();
  readonly started: { machine: string; name: string; input: unknown }[] = [];
  async status(arn: string) {
    return this.statuses.get(arn);
  }
  async start(machine: string, name: string, input: unknown) {
    this.started.push({ machine, name, input });
    return { executionArn: `arn:aws:states:us-east-1:111122223333:execution:${machine}:${name}` };
  }
  readonly stopped: { arn: string; cause: string }[] = [];
  async stop(arn: string, cause: string) {
    this.stopped.push({ arn, cause });
    this.statuses.set(arn, 'ABORTED');
  }
}

export class FakeAnnouncer implements Announcer {
  readonly announced: (Announcement & { incidentId: string | undefined })[] = [];
  async announce(incident: Incident | undefined, message: Announcement) {
    this.announced.push({ ...message, incidentId: incident?.id });
  }
}

export const activeDatabase: ActiveDatabase = {
  version: recordVersion,
  identifier: 'stocker-pro-staging',
  resourceId: 'db-PRODUCTION',
  region: 'us-east-1',
  address: 'stocker-pro-staging.example.rds.amazonaws.com',
  port: 5432,
  epoch: 1,
  since: '2026-01-01T00:00:00Z',
};

export function makeInstance(change: Partial<DatabaseInstance> = {}): DatabaseInstance {
  return {
    identifier: 'stocker-pro-staging',
    arn: 'arn:aws:rds:us-east-1:111122223333:db:stocker-pro-staging',
    resourceId: 'db-PRODUCTION',
    region: 'us-east-1',
    status: 'available',
    engine: 'postgres',
    engineVersion: '17.4',
    address: activeDatabase.address,
    port: 5432,
    masterUsername: 'postgres',
    databaseName: 'stocker',
    createdAt: '2026-01-01T00:00:00Z',
    latestRestorableTime: '2026-11-22T20:10:00Z',
    deletionProtection: true,
    replicaOf: undefined,
    tags: {},
    settings: { encrypted: true },
    parameterStatus: 'in-sync',
    pending: [],
    ...change,
  };
}

export function makeSnapshot(change: Partial<DatabaseSnapshot> = {}): DatabaseSnapshot {
  return {
    identifier: 'nightly',
    arn: 'arn:aws:rds:us-east-1:111122223333:snapshot:nightly',
    instanceIdentifier: 'stocker-pro-staging',
    instanceResourceId: 'db-PRODUCTION',
    status: 'available',
    createdAt: '2026-11-22T02:00:00Z',
    encrypted: true,
    ...change,
  };
}

/** RDS as far as the incident area reads it. */
export class FakeCatalogue {
  readonly instances: DatabaseInstance[] = [makeInstance()];
  readonly snapshots: DatabaseSnapshot[] = [makeSnapshot()];
  window: RestoreWindow | undefined = { earliest: '2026-11-15T20:00:00Z', latest: '2026-11-22T20:10:00Z' };
  async find(identifier: string) {
    return this.instances.find((each) => each.identifier === identifier);
  }
  async findSnapshot(identifier: string) {
    return this.snapshots.find((each) => each.identifier === identifier);
  }
  async restoreWindow() {
    return this.window;
  }
}
