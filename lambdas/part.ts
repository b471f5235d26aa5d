/** How a part of a backup is made: a step without an incident. */
import * as z from 'zod';
import { BackupRun } from '../core/backup/contracts.ts';
import { makeHandler, type Runtime } from './handler.ts';

/** Fields that every part of a backup receives. */
export const PartInput = z.object({ run: BackupRun });

/**
 * There is no incident, and no timeline but the machine's own history. What a part answers is its outcome, which the state
 * machine gathers and ReportBackup puts on record.
 */
export const makePart = <I extends z.infer<typeof PartInput>, O>(
  schema: z.ZodType<I>,
  run: (input: I, runtime: Runtime) => Promise<O>,
) =>
  makeHandler(schema, (input, at) => {
    at.logger.setCorrelationId(input.run.id);
    return run(input, at);
  });
