/** What undoing a recovery needs. In a module of its own, loaded where needed: RDS, SSM and pg are large. */
import { databaseUndos } from '../../core/database/undo.ts';
import type { CompensateContext } from '../../core/incident/compensate.ts';
import { regionSettings } from '../../core/settings.ts';
import type { Runtime } from '../handler.ts';
import { compensations } from './aws/compensations.ts';
import { controlStore } from './aws/control-store.ts';
import { databases } from './aws/rds.ts';
import { parameters } from './aws/ssm.ts';
import { workloads } from './kubernetes/workloads.ts';
import { logins } from './postgres/logins.ts';

export function undoPorts(rt: Runtime, promotionAwaited = false): CompensateContext {
  const undos = databaseUndos({
    ...rt,
    control: controlStore(rt),
    databases: databases(rt),
    databasesIn: (region) => databases({ here: regionSettings(rt.settings, region) }),
    parameters: parameters(rt),
    ...logins(rt),
    workloads: workloads(rt),
    promotionAwaited,
  });
  return { compensations: compensations(rt), undos };
}
