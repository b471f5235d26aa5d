/** A Region that takes a request and says nothing: whoever asks is told, in time to ask the other one. */
import { createServer, type Server } from 'node:net';
import { ListStateMachinesCommand } from '@aws-sdk/client-sfn';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { decide } from '../../cli/approval.ts';
import { clientsOf, invoke, operatorOf } from '../../cli/clients.ts';
import { troubleOf } from '../../cli/trouble.ts';

let mute: Server;
let endpoint: string;

beforeEach(async () => {
  mute = createServer(() => {});
  await new Promise<void>((listening) => mute.listen(0, '127.0.0.1', listening));
  const address = mute.address();
  endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
  mute.close();
});

/** Seconds until it settled, and as what. */
async function settled(work: Promise<unknown>, limitSeconds: number): Promise<{ seconds: number; error: unknown }> {
  let error: unknown;
  let isOver = false;
  work
    .catch((thrown: unknown) => {
      error = thrown;
    })
    .finally(() => {
      isOver = true;
    });
  let seconds = 0;
  for (; !isOver && seconds < limitSeconds; seconds++) {
    await vi.advanceTimersByTimeAsync(1000);
    // Connections are real, and take their turns.
    for (let turn = 0; turn < 20; turn++) await new Promise((next) => setImmediate(next));
  }
  return { seconds, error };
}

test('is told from one that answers, within a minute', async () => {
  const { sfn } = clientsOf(operatorOf(endpoint), 'us-east-1');
  const { seconds, error } = await settled(sfn.send(new ListStateMachinesCommand({})), 120);
  expect(error).toBeInstanceOf(Error);
  expect(troubleOf(error, endpoint)).toMatchObject({ isSilence: true });
  expect(seconds).toBeLessThan(60);
});

test('does not keep a decision for ever either', async () => {
  const { lambda } = clientsOf(operatorOf(endpoint), 'us-east-1');
  const decision = { incident: 'recovery-1', decision: 'approve', reason: 'it burns' } as const;
  const { error } = await settled(decide(lambda, 'decide-approval', decision), 120);
  expect(troubleOf(error, endpoint)).toMatchObject({ isSilence: true });
});

test('and a function that works for minutes is waited for', async () => {
  const { lambda } = clientsOf(operatorOf(endpoint), 'us-east-1');
  const { seconds, error } = await settled(invoke(lambda, 'prepare-database', {}), 300);
  expect({ seconds, error }).toEqual({ seconds: 300, error: undefined });
});
