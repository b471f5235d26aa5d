/** The newest heartbeat that the read replica holds: how far it has really come. */
import { newestHeartbeat } from '../../../core/database/heartbeat.ts';
import { ask } from '../../../core/readiness/answer.ts';
import type { ReadinessRun } from '../../../core/readiness/contracts.ts';
import type { FactsOf } from '../../../core/readiness/facts.ts';
import type { Runtime } from '../../handler.ts';
import { logins } from '../postgres/logins.ts';

export function lookAtReplica(run: ReadinessRun, rt: Runtime): Promise<FactsOf<'replica'>> {
  return ask(`the replica in ${run.region}`, async () => {
    const { findReplica } = await import('./databases.ts');
    const { Address, Port } = (await findReplica(run, rt.settings.account))?.Endpoint ?? {};
    if (Address === undefined || Port === undefined) return null;
    const { secrets, sessions } = logins(rt);
    const { sentinelRole, name } = rt.settings.database;
    const credentials = await secrets.credentials(sentinelRole.secretName);
    const heartbeat = await newestHeartbeat(sessions, { address: Address, port: Port, database: name }, credentials);
    return { heartbeat: heartbeat ?? null };
  });
}
