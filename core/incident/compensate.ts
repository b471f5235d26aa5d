/** Undoes, last first, what a recovery that did not succeed had registered before it acted. */
import { RecoveryError } from '../errors.ts';
import type { StepResult } from '../step.ts';
import type { Incident } from './contracts.ts';
import { CompensationFailed } from './errors.ts';
import type { Compensations, Undo } from './ports.ts';

export interface CompensateContext {
  readonly compensations: Pick<Compensations, 'open' | 'done'>;
  /** Name of a compensation → how to undo it. */
  readonly undos: Readonly<Record<string, Undo>>;
}

interface Undone {
  readonly name: string;
  readonly outcome: string;
}

/**
 * Goes on where one cannot be undone: each stands for itself, and a source that takes writes again is worth more than an
 * order. Throws what is worth another try, else CompensationFailed naming what a person must undo.
 */
export async function compensate(
  { incident }: { readonly incident: Incident },
  { compensations, undos }: CompensateContext,
): Promise<StepResult<{ undone: readonly Undone[] }>> {
  const undone: Undone[] = [];
  const failures: { readonly name: string; readonly cause: unknown }[] = [];
  for (const compensation of await compensations.open(incident.id)) {
    const { name, facts } = compensation;
    try {
      const undo = undos[name];
      if (undo === undefined) throw CompensationFailed(`this version knows no undo of that name`);
      const outcome = await undo(facts);
      await compensations.done(compensation, outcome);
      undone.push({ name, outcome });
    } catch (cause) {
      failures.push({ name, cause });
    }
  }
  const again = failures.find(({ cause }) => !(cause instanceof RecoveryError) || cause.retryable);
  if (again) throw again.cause;
  if (failures.length > 0)
    throw CompensationFailed(failures.map(({ name, cause }) => `${name}: ${messageOf(cause)}`).join('; '), {
      details: { undone, failed: failures.map(({ name }) => name) },
    });
  return {
    output: { undone },
    summary: undone.length === 0 ? 'nothing had to be undone' : undone.map(({ outcome }) => outcome).join('; '),
    facts: { undone },
  };
}

const messageOf = (cause: unknown) => (cause instanceof Error ? cause.message : String(cause));
