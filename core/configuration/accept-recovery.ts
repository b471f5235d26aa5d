/** The first state of a configuration recovery: refuses what cannot work before anything is touched. It only reads. */
import { type AcceptClusterContext, type Accepted, acceptByBuilds, type Concern } from '../cluster/accept-recovery.ts';
import type { Execution } from '../incident/contracts.ts';
import { invalidRequest } from '../incident/parse-request.ts';
import { refuseDebt } from './debt.ts';
import type { Debts } from './ports.ts';

export interface AcceptConfigurationContext extends AcceptClusterContext {
  readonly debts: Pick<Debts, 'read'>;
}

const configuration: Concern = {
  scenario: 'configuration',
  refuse({ restoreTo, scope }) {
    if (typeof restoreTo === 'string' && scope === undefined) return;
    const [field, value] = scope === undefined ? ['restoreTo', restoreTo] : ['scope', scope];
    throw invalidRequest([
      {
        field: String(field),
        value,
        problem: 'is of databases, and this recovers configuration',
        fix: 'Leave it out, or give a time: the zone is restored to its newest recording before it.',
      },
    ]);
  },
  target({ mode, target }, region, { settings: { environment }, here }) {
    const own = mode === 'drill' ? `drill configuration of ${environment}` : `configuration of ${environment}`;
    const refuse = (problem: string, fix: string) => invalidRequest([{ field: 'target', value: target, problem, fix }]);
    if (region !== here.region)
      throw refuse(`is not in ${here.region}`, `Production is in ${region}: start the state machine there.`);
    if (target !== undefined && target !== own)
      throw refuse('is another than this machine’s', `Leave it out to mean the ${own}.`);
    return own;
  },
};

/** Throws what the recovery of a cluster throws, and DebtOpen: an apply would undo the cut-over. A drill applies nothing of production. */
export async function acceptConfigurationRequest(
  asked: { readonly request: unknown; readonly execution: Execution },
  context: AcceptConfigurationContext,
): Promise<Accepted> {
  const { accepted, active } = await acceptByBuilds(configuration, asked, context);
  const { environment } = context.settings;
  if (accepted.incident.mode === 'recovery') await refuseDebt(active, { debts: context.debts, environment });
  return accepted;
}
