/** The event that Step Functions puts on the default bus whenever an execution's status changes. */
import type { BusEvent } from '../../kernel.ts';
import { type ExecutionRecord, statusOf } from './record.ts';

/** Beyond this the event leaves input or output out, so that it fits the bus: documented as 248 KiB together. */
const includedBytes = 248 * 1024;

export function statusChange(record: ExecutionRecord): BusEvent {
  const { arn, machine, name, input, startedAt, end } = record;
  const output = end?.output;
  const included = Buffer.byteLength(input) + Buffer.byteLength(output ?? '') <= includedBytes;
  return {
    source: 'aws.states',
    'detail-type': 'Step Functions Execution Status Change',
    resources: [arn],
    detail: {
      executionArn: arn,
      stateMachineArn: machine.arn,
      name,
      status: statusOf(record),
      startDate: startedAt.getTime(),
      stopDate: end?.at ?? null,
      input: included ? input : null,
      inputDetails: { included },
      output: included ? (output ?? null) : null,
      outputDetails: output === undefined ? null : { included },
      error: end?.error ?? null,
      cause: end?.cause ?? null,
      stateMachineVersionArn: null,
      stateMachineAliasArn: null,
      redriveCount: 0,
      redriveDate: null,
      redriveStatus: 'NOT_REDRIVABLE',
      redriveStatusReason: redriveReason(record),
    },
  };
}

export const redriveReason = (record: ExecutionRecord): string =>
  record.end ? 'The embedded cloud does not implement redrive' : 'Execution is RUNNING and cannot be redriven';
