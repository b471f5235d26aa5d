/** What the incident area needs from outside. Every port is small; a step's context lists exactly those that it uses. */
import type { CustomerNews } from '../communications/customers.ts';
import type {
  ActiveDatabase,
  Approval,
  ApprovalDecision,
  Compensation,
  Incident,
  IncidentRecord,
  Lease,
  MessageKind,
  MessageRecord,
  StepRecord,
  TrendPoint,
} from './contracts.ts';

export interface Clock {
  now(): Date;
}

/** The incident table of one Region. */
export interface IncidentStore {
  /** Creates the record and claims its request; false where an incident for that request exists already. */
  open(record: IncidentRecord): Promise<boolean>;
  /** The incident that a request key (identifiers.ts) opened before. */
  findByRequest(requestKey: string): Promise<string | undefined>;
  read(incidentId: string): Promise<IncidentRecord | undefined>;
  update(incidentId: string, change: Partial<Omit<IncidentRecord, 'version' | 'incident'>>): Promise<void>;
  /** Replaces the record for a retry; false where another execution than `formerExecution` worked on it last. */
  reopen(record: IncidentRecord, formerExecution: string): Promise<boolean>;
  /** As update, but only where it is open under this execution: false where it was closed, or taken up by a retry. */
  close(
    incident: Pick<Incident, 'id' | 'executionArn'>,
    change: Partial<Omit<IncidentRecord, 'version' | 'incident'>>,
  ): Promise<boolean>;
  /** Newest first. */
  list(limit: number): Promise<IncidentRecord[]>;
  /**
   * Writes a step: the first call sets startedAt and later ones keep it; one that is an attempt's first adds the attempt,
   * as `running` always is. Another execution's record of the step is replaced by one that began after it, and by no other.
   */
  recordStep(record: StepRecord, options?: { readonly isFirst?: boolean }): Promise<void>;
  steps(incidentId: string): Promise<StepRecord[]>;
  recordMessage(message: MessageRecord): Promise<void>;
  messages(incidentId: string): Promise<MessageRecord[]>;
  /** Claims a message by its name, so that it is told once; false where it was claimed before. */
  claimMessage(incidentId: string, name: string): Promise<boolean>;
  recordTrend(point: TrendPoint): Promise<void>;
  /** Newest first. */
  trend(scenario: Incident['scenario'], mode: Incident['mode'], limit: number): Promise<TrendPoint[]>;
  /** Why triage did or did not start something; kept 90 days. */
  recordDecision(decision: { at: string; alarm: string; verdict: string; reasons: readonly string[] }): Promise<void>;
  /**
   * Claims the start of a recovery for an execution name, unless another claimed it after `since`: several alarms that
   * ring at once start one. Returns the name that holds the claim.
   */
  claimStart(scenario: Incident['scenario'], name: string, at: string, since: string): Promise<string>;
}

/** What a recovery did that must be undone if it does not succeed; in the incident table. */
export interface Compensations {
  /**
   * Before the act. Repeated with the same name and facts it changes nothing. Where it throws, the act must not be done.
   */
  register(incidentId: string, name: string, facts: Readonly<Record<string, unknown>>): Promise<void>;
  /** What is not undone yet, last registered first. */
  open(incidentId: string): Promise<Compensation[]>;
  /** What undoing came to; it stays registered. */
  note(compensation: Compensation, outcome: UndoOutcome): Promise<void>;
  done(compensation: Compensation, outcome: UndoOutcome): Promise<void>;
  /** The last of that name, undone or not. */
  last(incidentId: string, name: string): Promise<Compensation | undefined>;
}

/** What undoing came to: one line for people, and whether production takes the application's writes again by it. */
export type UndoOutcome = Required<Pick<Compensation, 'outcome'>> & Pick<Compensation, 'takesWrites'>;

/**
 * Undoes one act from the facts that were registered, or finds that it must not be undone any more; says in one line which.
 * Idempotent: the act may never have happened, or may have been undone before. A retryable error is tried again.
 */
export type Undo = (facts: Readonly<Record<string, unknown>>) => Promise<UndoOutcome>;

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
  /** Raises the epoch of what is production, which stays it: whoever planned for the old one comes too late. False where the record is not this one any more. */
  confirmActiveDatabase(record: ActiveDatabase): Promise<boolean>;
}

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED' | 'PENDING_REDRIVE';

export interface Executions {
  /** undefined: no such execution. */
  status(executionArn: string): Promise<ExecutionStatus | undefined>;
  start(stateMachineName: string, name: string, input: unknown): Promise<{ executionArn: string }>;
  /** Stops it where it runs; one that has ended stays as it is. */
  stop(executionArn: string, cause: string): Promise<void>;
}

export interface Alarms {
  /** undefined: no such alarm. */
  state(alarmName: string): Promise<{ value: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA'; since: string } | undefined>;
  /** Names of the alarms of that prefix that are in ALARM. */
  ringing(namePrefix: string): Promise<string[]>;
}

/** What a step tells people. */
export interface Announcement {
  readonly kind: Exclude<MessageKind, 'customers'>;
  readonly headline: string;
  readonly lines: readonly string[];
  /** What happens next; without it, what usually follows a message of this kind. */
  readonly next?: string;
  /** What customers are told, in a recovery only. */
  readonly customers?: CustomerNews | undefined;
}

/** Tells people what happened; failures are recorded, never thrown. Refusals and triage have no incident. */
export interface Announcer {
  announce(incident: Incident | undefined, message: Announcement): Promise<void>;
}

/** What became of a decision. */
export type DecisionOutcome =
  | { readonly outcome: 'decided' }
  /** The first decision stands; it has been handed to the execution again, in case its answer was lost. */
  | { readonly outcome: 'decided-before'; readonly first: ApprovalDecision }
  /** The execution does not wait any more: it timed out, was stopped, or asks anew. */
  | { readonly outcome: 'over' };

/** The approvals that executions wait for, in the DR Region; a task token goes in and never comes out. */
export interface Approvals {
  /** Records the question; false where it was recorded with this very token before. */
  ask(approval: Approval, taskToken: string): Promise<boolean>;
  read(incidentId: string): Promise<Approval | undefined>;
  /** Records the decision on a question that was asked, and then lets the execution go on. */
  decide(approval: Approval, decision: ApprovalDecision): Promise<DecisionOutcome>;
}
