/** Terraform’s debt after a cut-over: open, until its state holds the instance that is production and its plan is empty. */
import { dr } from '../commands.ts';
import type { ActiveDatabase } from '../incident/contracts.ts';
import type { DebtRecord } from './contracts.ts';
import { DebtOpen } from './errors.ts';
import type { Debts } from './ports.ts';

/** The debt of what is production now; undefined: none is open. */
export async function openDebt(
  active: Pick<ActiveDatabase, 'resourceId'> | undefined,
  debts: Pick<Debts, 'read'>,
): Promise<DebtRecord | undefined> {
  if (active === undefined) return undefined;
  const debt = await debts.read(active.resourceId);
  return debt?.closedAt === undefined ? debt : undefined;
}

/** Throws DebtOpen, naming the debt and the command that closes it. */
export async function refuseDebt(
  active: Pick<ActiveDatabase, 'resourceId'> | undefined,
  { debts, environment }: { readonly debts: Pick<Debts, 'read'>; readonly environment: string },
): Promise<void> {
  const debt = await openDebt(active, debts);
  if (debt !== undefined)
    throw DebtOpen(
      `Terraform’s debt is open since ${debt.since}: its state holds ${debt.old}, and production is ${debt.import} (${debt.incidentId}). Close it: ${dr('debt close', environment)}`,
      { details: { debt } },
    );
}
