/** Undoes, last first, what a recovery that did not succeed had registered before it acted. */
import { RecoveryError } from '../errors.ts';
import type { StepResult } from '../step.ts';
import type { Incident } from './contracts.ts';
import { CompensationFailed } from './errors.ts';
import type { Compensations, Undo } from './ports.ts';

export interface CompensateContext {
  readonly compensations: Pick<Compensations, 'open' | 'note' | 'done'>;
  /** Name of a compensation → how to undo it. */
  readonly undos: Readonly<Record<string, Undo>>;
}

interface Undone {
  readonly name: string;
  readonly outcome: string;
}

/**
 * Goes on where one cannot be undone: each stands for itself, and a source that takes writes again is worth more than an
 * order. Throws what is worth another try, else CompensationFailed naming what a person must undo. With `keep`, a function
 * of the incident may still be at work, and act behind its undo: everything stays registered, to be undone once more.
 */
export async function compensate(
  { incident, keep = false }: { readonly incident: Pick<Incident, 'id'>; readonly keep?: boolean },
  { compensations, undos }: CompensateContext,
): Promise<StepResult<{ undone: readonly Undone[] }>> {
  const undone: Undone[] = [];
  const failures: { readonly name: string; readonly cause: unknown }[] = [];
  for (const compensation of await compensations.open(incident.id)) {
    const { name, facts } = compensation;
    try {
      const undo = undos[name];
      if (undo === undefined) throw CompensationFailed(`this version knows no undo of that name`);
      const result = await undo(facts);
      await (keep ? compensations.note(compensation, result) : compensations.done(compensation, result));
      if (compensation.outcome === undefined) undone.push({ name, outcome: result.outcome });
    } catch (cause) {
      failures.push({ name, cause });
    }
  }
  const again = failures.find(({ cause }) => !(cause instanceof RecoveryError) || cause.retryable);
  const outcomes = undone.map(({ outcome }) => outcome).join('; ');
  const details = { undone, failed: failures.map(({ name }) => name) };
  if (again?.cause instanceof RecoveryError && outcomes !== '')
    throw new RecoveryError(again.cause, `${again.cause.message} Done: ${outcomes}`, { cause: again.cause, details });
  if (again) throw again.cause;
  if (failures.length > 0)
    throw CompensationFailed(failures.map(({ name, cause }) => `${name}: ${messageOf(cause)}`).join('; '), {
      details,
    });
  return {
    output: { undone },
    summary: outcomes === '' ? 'nothing had to be undone' : outcomes,
    facts: { undone },
  };
}

const messageOf = (cause: unknown) => (cause instanceof Error ? cause.message : String(cause));
