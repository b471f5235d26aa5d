/** What the incident area needs from outside. Every port is small; a step's context lists exactly those that it uses. */
import type { ActiveDatabase, Incident, IncidentRecord, Lease, StepRecord } from './contracts.ts';

export interface Clock {
  now(): Date;
}

/** The incident table of one Region. */
export interface IncidentStore {
  /** Creates the record; returns false where the incident exists already (a repeated start). */
  open(record: IncidentRecord): Promise<boolean>;
  read(incidentId: string): Promise<IncidentRecord | undefined>;
  update(incidentId: string, change: Partial<Omit<IncidentRecord, 'version' | 'incident'>>): Promise<void>;
  /** Newest first. */
  list(limit: number): Promise<IncidentRecord[]>;
  /** Writes a step: the first call sets startedAt, later ones add attempts and keep it. */
  recordStep(record: StepRecord): Promise<void>;
  steps(incidentId: string): Promise<StepRecord[]>;
  /** Why triage did or did not start something; kept 90 days. */
  recordDecision(decision: { at: string; alarm: string; verdict: string; reasons: readonly string[] }): Promise<void>;
}

/** DR Region: one conditional write each. */
export interface ControlStore {
  /** Takes the lease if it is free or already this execution's; otherwise returns the holder. */
  takeLease(lease: Lease): Promise<{ taken: true } | { taken: false; holder: Lease }>;
  /** Replaces exactly this dead holder; false when somebody else was faster. */
  replaceLease(lease: Lease, deadHolder: Lease): Promise<boolean>;
  readLease(): Promise<Lease | undefined>;
  /** Releases the lease only where this execution holds it; true when it is not held by it afterwards. */
  releaseLease(executionArn: string): Promise<void>;
  readActiveDatabase(): Promise<ActiveDatabase | undefined>;
  /** Registers the first active database; false where a record exists. */
  registerActiveDatabase(record: ActiveDatabase): Promise<boolean>;
  /** Raises the epoch from exactly `expectedEpoch`; false where it has moved, or the lease is not `executionArn`'s. */
  advanceActiveDatabase(record: ActiveDatabase, expectedEpoch: number, executionArn: string): Promise<boolean>;
}

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED' | 'PENDING_REDRIVE';

export interface Executions {
  /** undefined: no such execution. */
  status(executionArn: string): Promise<ExecutionStatus | undefined>;
  start(stateMachineName: string, name: string, input: unknown): Promise<{ executionArn: string }>;
  stop(executionArn: string, cause: string): Promise<void>;
}

export interface Alarms {
  /** undefined: no such alarm. */
  state(alarmName: string): Promise<{ value: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA'; since: string } | undefined>;
}

/** Where a step tells people what happened; failures are recorded, never thrown. */
export interface Announcer {
  announce(
    incident: Incident,
    message: {
      kind: 'declared' | 'approval-wanted' | 'milestone' | 'update' | 'resolved' | 'failed';
      headline: string;
      lines: readonly string[];
    },
  ): Promise<void>;
}
