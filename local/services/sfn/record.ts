/** One execution as the service keeps it. */
import type { End, Execution, Status } from '../../states/execution.ts';
import type { Machine } from './machines.ts';

export interface ExecutionRecord {
  readonly arn: string;
  readonly name: string;
  readonly machine: Machine;
  /** JSON text as given. */
  readonly input: string;
  readonly startedAt: Date;
  readonly execution: Execution;
  readonly end?: End;
}

export const statusOf = (record: ExecutionRecord): Status => record.end?.status ?? 'RUNNING';
