/** RDS of both Regions, for replicas that lead from one to the other. */
import { otherRegion } from '../../../core/settings.ts';
import type { Runtime } from '../../handler.ts';
import { databases } from './rds.ts';
import { replicas } from './replicas.ts';

export function replicaPorts(rt: Runtime) {
  const there = otherRegion(rt.settings, rt.here);
  return {
    ...rt,
    databases: databases(rt),
    databasesThere: databases({ here: there }),
    replicas: replicas(rt, rt.here.region),
    replicasThere: replicas(rt, there.region),
  };
}
