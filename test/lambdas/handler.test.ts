import { Logger } from '@aws-lambda-powertools/logger';
import { expect, test, vi } from 'vitest';
import { readFailure } from '../../core/errors.ts';
import { InvalidRequest, ServiceUnavailable } from '../../core/incident/errors.ts';
import {
  asRecoveryError,
  asSeenByStepFunctions,
  makeHandler,
  makeStep,
  runOnTimeline,
  StepInput,
  wake,
} from '../../lambdas/handler.ts';
import { executionArn, FakeClock, FakeIncidents, makeIncident } from '../core/fakes.ts';

const quiet = new Logger({ logLevel: 'SILENT' });
const done = { output: 1, summary: 'restored', facts: { rows: 3 } };

function makeTimeline(
  incidents: Pick<FakeIncidents, 'recordStep'> = new FakeIncidents(),
  mode: 'drill' | 'recovery' = 'drill',
) {
  const clock = new FakeClock();
  const input = { incident: makeIncident({ mode }), step: 'RestoreDatabase' };
  return {
    clock,
    run: (step: () => Promise<typeof done>, options?: { readonly once: boolean }) =>
      runOnTimeline(incidents, { clock, logger: quiet }, input, step, options),
  };
}

test('a function that is called only to be awake does nothing, whatever it is for', async () => {
  const never = () => {
    throw new Error('it was run');
  };
  expect(await makeHandler(StepInput, never)(wake)).toBeUndefined();
  expect(await makeStep(StepInput, never, never)(wake)).toBeUndefined();
  // Control: any other event is for it.
  await expect(makeHandler(StepInput, never)({ ...wake, incident: 'x' })).rejects.toThrow();
});

test('a step that waits keeps its first start and counts its attempts', async () => {
  const incidents = new FakeIncidents();
  const { clock, run } = makeTimeline(incidents);
  await expect(run(() => Promise.reject(ServiceUnavailable('still creating')))).rejects.toThrow('still creating');
  expect(incidents.timeline).toMatchObject([{ status: 'waiting', attempts: 1, error: { name: 'ServiceUnavailable' } }]);
  clock.advance(30);
  await run(async () => done);
  expect(incidents.timeline).toEqual([
    expect.objectContaining({
      status: 'succeeded',
      startedAt: '2026-11-22T20:15:00.000Z',
      finishedAt: '2026-11-22T20:15:30.000Z',
      attempts: 2,
      summary: 'restored',
      facts: { rows: 3 },
    }),
  ]);
  expect(incidents.timeline[0]).not.toHaveProperty('error');
});

test('a step that waits for a person is recorded as waiting, with what it asked', async () => {
  const incidents = new FakeIncidents();
  await makeTimeline(incidents).run(async () => ({ ...done, waits: true as const }));
  expect(incidents.timeline).toMatchObject([
    { status: 'waiting', summary: 'restored', facts: { rows: 3 }, execution: executionArn },
  ]);
  expect(incidents.timeline[0]).not.toHaveProperty('finishedAt');
});

test('a look is written once, when it is known what it saw, and counts', async () => {
  const incidents = new FakeIncidents();
  const written = vi.spyOn(incidents, 'recordStep');
  const { clock, run } = makeTimeline(incidents);
  const look = (step: () => Promise<typeof done>) => run(step, { once: true });
  await expect(look(() => Promise.reject(ServiceUnavailable('still creating')))).rejects.toThrow('still creating');
  expect(incidents.timeline).toMatchObject([{ status: 'waiting', attempts: 1, startedAt: '2026-11-22T20:15:00.000Z' }]);
  clock.advance(30);
  await look(async () => done);
  expect(incidents.timeline).toMatchObject([
    { status: 'succeeded', attempts: 2, startedAt: '2026-11-22T20:15:00.000Z', summary: 'restored' },
  ]);
  expect(written).toHaveBeenCalledTimes(2);
});

const broken = { recordStep: () => Promise.reject(new Error('not authorized to perform: dynamodb:UpdateItem')) };

test('a timeline that cannot be written never stops a recovery', async () => {
  await expect(makeTimeline(broken, 'recovery').run(async () => done)).resolves.toBe(done);
});

test('a drill finds that its timeline cannot be written', async () => {
  await expect(makeTimeline(broken).run(async () => done)).rejects.toThrow('dynamodb:UpdateItem');
});

test('the error of the step is told, not that of the timeline', async () => {
  const failing = () => Promise.reject(InvalidRequest('restoreTo'));
  await expect(makeTimeline(broken, 'recovery').run(failing)).rejects.toThrow('restoreTo');
});

test.each([
  {
    case: 'throttling',
    error: Object.assign(new Error('slow'), { name: 'ThrottlingException' }),
    name: 'ServiceUnavailable',
  },
  {
    case: 'a request that timed out',
    error: Object.assign(new Error('late'), { name: 'TimeoutError' }),
    name: 'ServiceUnavailable',
  },
  {
    case: 'a broken connection',
    error: Object.assign(new Error('gone'), { code: 'ECONNRESET' }),
    name: 'ServiceUnavailable',
  },
  {
    case: 'a fault that the service calls its own',
    error: Object.assign(new Error('oops'), { name: 'InternalFailureOfSomeService', $fault: 'server' }),
    name: 'ServiceUnavailable',
  },
  {
    case: 'a mistake of the caller',
    error: Object.assign(new Error('no'), { name: 'InvalidParameterCombination', $fault: 'client' }),
    name: 'InvalidParameterCombination',
  },
  { case: 'a denied call', error: Object.assign(new Error('no'), { name: 'AccessDenied' }), name: 'AccessDenied' },
  { case: 'our own error', error: InvalidRequest('x'), name: 'InvalidRequest' },
  { case: 'a thrown text', error: 'text', name: 'Error' },
])('names $case as Step Functions must match it', ({ error, name }) => {
  expect(asRecoveryError(error)).toMatchObject({ name, retryable: name === 'ServiceUnavailable' });
});

test('what Step Functions sees reads back as name, message and next', () => {
  const seen = asSeenByStepFunctions(InvalidRequest('target = "x" names no database'));
  const cause = { errorType: seen.name, errorMessage: seen.message, trace: seen.stack?.split('\n') };
  expect(readFailure({ Error: seen.name, Cause: JSON.stringify(cause) })).toEqual({
    name: 'InvalidRequest',
    message: 'target = "x" names no database',
    next: InvalidRequest.definition.next,
  });
  expect(readFailure({ Error: 'States.Timeout', Cause: '' }).next).toContain('execution’s history');
});
