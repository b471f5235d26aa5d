/**
 * The one way to make a function: parse the event, run the step with the runtime's ports, put it on the incident's
 * timeline. A handler file wires its ports and does nothing else.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Logger } from '@aws-lambda-powertools/logger';
import * as z from 'zod';
import { RecoveryError, withNext } from '../core/errors.ts';
import { Incident, Moment, recordVersion, type StepRecord } from '../core/incident/contracts.ts';
import { InvalidEvent, ServiceUnavailable } from '../core/incident/errors.ts';
import type { Clock, IncidentStore } from '../core/incident/ports.ts';
import { type RegionSettings, regionSettings, Settings } from '../core/settings.ts';
import type { StepResult } from '../core/step.ts';
import { keep } from './kept.ts';

/** What every function has at hand. */
export interface Runtime {
  readonly settings: Settings;
  /** The Region that this function runs in. */
  readonly here: RegionSettings;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Fields that every step of a recovery receives. */
export const StepInput = z.object({
  incident: Incident,
  step: z.string(),
  piece: z.string().optional(),
  /** When the state was entered, where the handler is called at its end only: the last command of a build. */
  startedAt: Moment.optional(),
});
type StepInput = z.infer<typeof StepInput>;

/** Reads settings.json from the bundle once per execution environment. */
export const loadRuntime = (): Runtime => keep(makeRuntime);

function makeRuntime(): Runtime {
  const file = join(process.env.LAMBDA_TASK_ROOT ?? '.', 'settings.json');
  const settings = Settings.parse(JSON.parse(readFileSync(file, 'utf8')));
  const logger = new Logger({ serviceName: process.env.AWS_LAMBDA_FUNCTION_NAME ?? 'stocker-dr' });
  return {
    settings,
    here: regionSettings(settings, process.env.AWS_REGION ?? ''),
    clock: { now: () => new Date() },
    logger,
  };
}

function parseEvent<I>(schema: z.ZodType<I>, event: unknown): I {
  const parsed = schema.safeParse(event);
  if (parsed.success) return parsed.data;
  throw InvalidEvent(
    `The function was called with an event that it does not understand: ${z.prettifyError(parsed.error)}`,
  );
}

/** What a function is called with every week so that it is not asleep when it is needed (wake-functions.ts): it does nothing. */
export const wake = { wake: true } as const;
const Wake = z.strictObject({ wake: z.literal(true) });

const unlessWoken =
  <O>(handle: (event: unknown) => Promise<O>) =>
  async (event: unknown): Promise<O | undefined> =>
    Wake.safeParse(event).success ? undefined : handle(event);

/** A function outside of a recovery: heartbeat, sentinel, triage, preparation. */
export function makeHandler<I, O>(schema: z.ZodType<I>, run: (input: I, runtime: Runtime) => Promise<O>) {
  return unlessWoken(async (event) => {
    const at = loadRuntime();
    try {
      return await run(parseEvent(schema, event), at);
    } catch (error) {
      throw asSeenByStepFunctions(classify(at.logger, error));
    }
  });
}

type Store = (runtime: Runtime) => IncidentStore;
type Run<I, O> = (input: I, runtime: Runtime) => Promise<StepResult<O>>;
interface TimelineOptions {
  /** Written when it is known what came of it, and not before: for what takes a moment and is called often. */
  readonly once: boolean;
}

/** A step of a recovery: runs, and is written to the timeline as running, waiting, succeeded or failed. */
export function makeStep<I extends StepInput, O>(
  schema: z.ZodType<I>,
  store: Store,
  run: Run<I, O>,
  options?: TimelineOptions,
) {
  return unlessWoken(async (event) => {
    const at = loadRuntime();
    try {
      const input = parseEvent(schema, event);
      at.logger.setCorrelationId(input.incident.id);
      const result = await runOnTimeline(store(at), at, input, () => run(input, at), options);
      at.logger.info(result.summary, { step: input.step });
      return result.output;
    } catch (error) {
      throw asSeenByStepFunctions(classify(at.logger, error));
    }
  });
}

/** A step that waits for a service: its function looks once, which takes a moment, and is called again until it is through. */
export const makeWait = <I extends StepInput, O>(schema: z.ZodType<I>, store: Store, run: Run<I, O>) =>
  makeStep(schema, store, run, { once: true });

/** Writes what became of a step; attempts and the first startedAt are the store's to keep. */
export async function runOnTimeline<O>(
  incidents: Pick<IncidentStore, 'recordStep'>,
  at: Pick<Runtime, 'clock' | 'logger'>,
  { incident, step, piece, startedAt }: StepInput,
  run: () => Promise<StepResult<O>>,
  { once }: TimelineOptions = { once: false },
): Promise<StepResult<O>> {
  const now = () => at.clock.now().toISOString();
  const base = {
    version: recordVersion,
    incidentId: incident.id,
    execution: incident.executionArn,
    step,
    ...(piece === undefined ? {} : { piece }),
    startedAt: startedAt ?? now(),
    attempts: 1,
  } as const;
  const write = ({ facts, ...change }: Pick<StepRecord, 'status' | 'summary'> & Partial<StepRecord>) =>
    incidents.recordStep({ ...base, ...change, facts: { ...facts } }, { isFirst: once || change.status === 'running' });
  /** A timeline that cannot be written never stops a recovery; a drill exists to find that it cannot. */
  const writeOrLog = (change: Parameters<typeof write>[0]) =>
    write(change).catch((error: unknown) => {
      if (incident.mode === 'drill') throw error;
      at.logger.error('The timeline could not be written', asError(error));
    });

  if (!once) await writeOrLog({ status: 'running', summary: 'running', facts: {} });
  let result: StepResult<O>;
  try {
    result = await run();
  } catch (cause) {
    const error = asRecoveryError(cause);
    await write({
      status: error.retryable ? 'waiting' : 'failed',
      summary: error.message,
      facts: error.details,
      ...(error.retryable ? {} : { finishedAt: now() }),
      error: { name: error.name, message: error.message, next: error.next },
    }).catch((failure: unknown) => at.logger.error('The timeline could not be written', asError(failure)));
    throw error;
  }
  const { summary, facts = {}, waits } = result;
  await writeOrLog(
    waits ? { status: 'waiting', summary, facts } : { status: 'succeeded', summary, facts, finishedAt: now() },
  );
  return result;
}

/** What AWS or the network fails at for now, by the names of the SDK and of Node. */
const transient = new Set([
  'ThrottlingException',
  'Throttling',
  'RequestLimitExceeded',
  'TooManyRequestsException',
  'TimeoutError',
  'ECONNRESET',
  'ECONNREFUSED',
  'ETIMEDOUT',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ServiceUnavailable',
  'ServiceUnavailableException',
  'InternalFailure',
  'InternalServerError',
  'InternalError',
  'SlowDown',
  'ProvisionedThroughputExceededException',
]);

const asError = (cause: unknown): Error => (cause instanceof Error ? cause : new Error(String(cause)));

/** What failed for now becomes the retryable ServiceUnavailable; every other error keeps its name. */
export function asRecoveryError(cause: unknown): RecoveryError {
  if (cause instanceof RecoveryError) return cause;
  const error = asError(cause);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  // The SDK says so itself where the fault is the service's (5xx), or the API model calls it retryable.
  const isServices = '$fault' in error && (error.$fault === 'server' || ('$retryable' in error && !!error.$retryable));
  if (transient.has(error.name) || transient.has(code) || isServices)
    return ServiceUnavailable(`${error.name}: ${error.message}`, { cause: error });
  return new RecoveryError(
    {
      name: error.name,
      retryable: false,
      next: 'Read the message and the function’s log; correct the cause and start again.',
    },
    error.message,
    { cause: error },
  );
}

function classify(logger: Logger, cause: unknown): RecoveryError {
  const error = asRecoveryError(cause);
  if (error.retryable) logger.info(error.message, { error: error.name, details: error.details });
  else logger.error(error.message, { error: asError(error.cause ?? error), details: error.details });
  return error;
}

/**
 * The error as the Lambda runtime reports it: errorType is `name`, errorMessage the message, trace the stack. People read
 * that JSON as the cause in the console, so it says what to do next, and the stack stays in the log.
 */
export function asSeenByStepFunctions(error: RecoveryError): Error {
  const seen = new Error(withNext(error.message, error.next));
  seen.name = error.name;
  seen.stack = error.name;
  return seen;
}
