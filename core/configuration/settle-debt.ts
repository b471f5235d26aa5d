/** Closes Terraform’s debt where its plan is empty; the last command of the build that imported the instance. */
import type { BuildResults } from '../cluster/ports.ts';
import { reportOf } from '../cluster/report-build.ts';
import { describeChanges } from '../cluster/terraform-plan.ts';
import type { Clock, ControlStore } from '../incident/ports.ts';
import { openDebt } from './debt.ts';
import { DebtRemains } from './errors.ts';
import type { Debts } from './ports.ts';

export interface SettleDebtContext {
  readonly clock: Clock;
  readonly control: Pick<ControlStore, 'readActiveDatabase'>;
  readonly debts: Pick<Debts, 'read' | 'close'>;
  readonly results: BuildResults;
}

/** Throws DebtRemains, saying what differs. Repeated, it finds the debt closed. */
export async function settleDebt(
  { resourceId }: { readonly resourceId: string },
  { clock, control, debts, results }: SettleDebtContext,
): Promise<{ readonly closedAt: string | undefined }> {
  const { log } = results.build();
  const remains = (why: string) => DebtRemains(`${why} (log: ${log})`);
  const active = await control.readActiveDatabase();
  if (active?.resourceId !== resourceId)
    throw remains(`production has moved to ${active?.identifier ?? 'nobody knows what'} meanwhile`);
  const failed = results.failed();
  if (failed !== undefined) throw remains(results.problems().join(' ') || `the build failed: ${failed}`);
  // A build without a plan says nothing about it.
  if (results.plan() === undefined) throw remains('Terraform made no plan');
  const { changes } = reportOf(results);
  if (changes.length > 0) throw remains(`Terraform would still: ${describeChanges(changes).join(', ')}`);
  if ((await openDebt(active, debts)) === undefined) return { closedAt: undefined };
  const closedAt = clock.now().toISOString();
  await debts.close(resourceId, closedAt);
  return { closedAt };
}
