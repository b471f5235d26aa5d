/**
 * A function in a VPC whose network Lambda has taken back, for nobody called it for 14 days: the call that finds it so fails
 * and wakes it, and every call fails until it is awake. Lambda Developer Guide: Hyperplane ENIs, Lambda function states.
 */
import type { FunctionConfiguration } from '@aws-sdk/client-lambda';
import { AwsError, type Clock } from '../../kernel.ts';
import type { FunctionRecord } from './registry.ts';

const idleMs = 14 * 86_400_000;
/** Between 40 and 106 seconds were seen. */
const wakingMs = 60_000;

type State = NonNullable<FunctionConfiguration['State']>;

export function stateOf({ configuration, usedAt, awakeAt }: FunctionRecord, clock: Clock): State {
  // Outside of a VPC there is no network to take back.
  if (configuration.VpcConfig?.SubnetIds?.length === 0) return 'Active';
  if (clock.now() < awakeAt) return 'Pending';
  return clock.now() - usedAt > clock.scale(idleMs) ? 'Inactive' : 'Active';
}

/** Notes an invocation. Throws ResourceNotReadyException or ResourceConflictException where the function is not awake. */
export function use(record: FunctionRecord, clock: Clock): void {
  const state = stateOf(record, clock);
  record.usedAt = clock.now();
  if (state === 'Inactive') {
    record.awakeAt = clock.now() + clock.scale(wakingMs);
    throw new AwsError(
      'ResourceNotReadyException',
      'The function is inactive and its VPC connection is no longer available. Wait for the VPC connection to reestablish and try again.',
    );
  }
  if (state === 'Pending')
    throw new AwsError(
      'ResourceConflictException',
      'The operation cannot be performed at this time. The function is currently in the following state: Pending',
    );
}
