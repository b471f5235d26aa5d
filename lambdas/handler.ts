/**
 * The one way to make a function: parse the event, run the step with the runtime's ports, put it on the incident's
 * timeline. A handler file wires its ports and does nothing else.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Logger } from '@aws-lambda-powertools/logger';
import * as z from 'zod';
import { RecoveryError } from '../core/errors.ts';
import { Incident, recordVersion, type StepRecord } from '../core/incident/contracts.ts';
import { InvalidEvent, ServiceUnavailable } from '../core/incident/errors.ts';
import type { Clock, IncidentStore } from '../core/incident/ports.ts';
import { type RegionSettings, regionSettings, Settings } from '../core/settings.ts';
import type { StepResult } from '../core/step.ts';

/** What every function has at hand. */
export interface Runtime {
  readonly settings: Settings;
  /** The Region that this function runs in. */
  readonly here: RegionSettings;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Fields that every step of a recovery receives. */
export const StepInput = z.object({ incident: Incident, step: z.string(), piece: z.string().optional() });
type StepInput = z.infer<typeof StepInput>;

let runtime: Runtime | undefined;

/** Reads settings.json from the bundle once per function instance. */
export function loadRuntime(): Runtime {
  if (runtime) return runtime;
  const file = join(process.env.LAMBDA_TASK_ROOT ?? '.', 'settings.json');
  const settings = Settings.parse(JSON.parse(readFileSync(file, 'utf8')));
  const logger = new Logger({ serviceName: process.env.AWS_LAMBDA_FUNCTION_NAME ?? 'stocker-dr' });
  runtime = {
    settings,
    here: regionSettings(settings, process.env.AWS_REGION ?? ''),
    clock: { now: () => new Date() },
    logger,
  };
  return runtime;
}

function parseEvent<I>(schema: z.ZodType<I>, event: unknown): I {
  const parsed = schema.safeParse(event);
  if (parsed.success) return parsed.data;
  throw InvalidEvent(
    `The function was called with an event that it does not understand: ${z.prettifyError(parsed.error)}`,
  );
}

/** A function outside of a recovery: heartbeat, sentinel, triage, preparation. */
export function makeHandler<I, O>(schema: z.ZodType<I>, run: (input: I, runtime: Runtime) => Promise<O>) {
  return async (event: unknown): Promise<O> => {
    const at = loadRuntime();
    try {
      return await run(parseEvent(schema, event), at);
    } catch (error) {
      throw report(at.logger, error);
    }
  };
}

/** A step of a recovery: runs, and is written to the timeline as running, waiting, succeeded or failed. */
export function makeStep<I extends StepInput, O>(
  schema: z.ZodType<I>,
  store: (runtime: Runtime) => IncidentStore,
  run: (input: I, runtime: Runtime) => Promise<StepResult<O>>,
) {
  return async (event: unknown): Promise<O> => {
    const at = loadRuntime();
    const input = parseEvent(schema, event);
    at.logger.setCorrelationId(input.incident.id);
    const incidents = store(at);
    const startedAt = at.clock.now().toISOString();
    const record = (change: Pick<StepRecord, 'status' | 'summary'> & Partial<StepRecord>) =>
      incidents.recordStep({
        version: recordVersion,
        incidentId: input.incident.id,
        step: input.step,
        ...(input.piece === undefined ? {} : { piece: input.piece }),
        startedAt,
        attempts: 1,
        facts: {},
        ...change,
      });
    await record({ status: 'running', summary: 'running' });
    try {
      const result = await run(input, at);
      await record({
        status: 'succeeded',
        summary: result.summary,
        facts: { ...result.facts },
        finishedAt: at.clock.now().toISOString(),
      });
      at.logger.info(result.summary, { step: input.step });
      return result.output;
    } catch (cause) {
      const error = report(at.logger, cause);
      const status = error.retryable ? 'waiting' : 'failed';
      const finishedAt = at.clock.now().toISOString();
      await record({
        status,
        summary: error.message,
        facts: { ...error.details },
        ...(status === 'failed' ? { finishedAt } : {}),
        error: { name: error.name, message: error.message, next: error.next },
      });
      throw error;
    }
  };
}

const transient = new Set([
  'ThrottlingException',
  'Throttling',
  'RequestLimitExceeded',
  'TooManyRequestsException',
  'TimeoutError',
  'ECONNRESET',
  'ServiceUnavailable',
  'InternalFailure',
  'InternalServerError',
  'SlowDown',
  'ProvisionedThroughputExceededException',
]);

/** Logs an error; what AWS or the network failed at for now becomes the retryable ServiceUnavailable, the rest keeps its name. */
function report(logger: Logger, cause: unknown): RecoveryError {
  if (cause instanceof RecoveryError) {
    logger[cause.retryable ? 'info' : 'error'](cause.message, { error: cause.name, details: cause.details });
    return cause;
  }
  const error = cause instanceof Error ? cause : new Error(String(cause));
  logger.error(error.message, error);
  if (transient.has(error.name)) return ServiceUnavailable(`${error.name}: ${error.message}`, { cause: error });
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
