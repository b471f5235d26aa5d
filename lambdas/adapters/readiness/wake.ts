/**
 * Lambda takes the network from a function in a VPC that nobody has called for 14 days; the next call fails and wakes it, and
 * until it is awake, which takes a minute or two, every other one fails (Lambda Developer Guide: Hyperplane ENIs, function
 * states). Most steps of a recovery run in nothing but a recovery: each would begin with that minute, one after the other.
 */
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { type Runtime, wake } from '../../handler.ts';
import { clientFor } from '../aws/clients.ts';
import { readRecoveryCalls } from './recovery-calls.ts';

/** Calls every function of a recovery in this Region, without waiting for it. Throws naming those that could not be called. */
export async function wakeFunctions({ here }: Pick<Runtime, 'here'>): Promise<{ readonly woken: number }> {
  const client = clientFor(LambdaClient, here.region);
  const names = readRecoveryCalls().flatMap(({ functionName, region }) =>
    region === here.region ? [functionName] : [],
  );
  const Payload = JSON.stringify(wake);
  const called = await Promise.allSettled(
    names.map((FunctionName) => client.send(new InvokeCommand({ FunctionName, InvocationType: 'Event', Payload }))),
  );
  const failed = called.flatMap((result, index) =>
    result.status === 'rejected' ? [`${names[index]}: ${result.reason}`] : [],
  );
  if (failed.length > 0) throw new Error(`Functions of a recovery could not be called: ${failed.join('; ')}`);
  return { woken: names.length };
}
