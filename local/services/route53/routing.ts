/** What a zone answers now: of several record sets of one name and type, the one that its policy and the health of all choose. */
import { parseData, type RecordData, type RecordType } from '../../dns/data.ts';
import type { Zone } from '../../dns/lookup.ts';
import { groupOf, type RecordSet, type RecordSets } from './record-sets.ts';

export interface Routing {
  isHealthy(healthCheckId: string): boolean;
  /** In [0, 1). */
  random(): number;
}

/** An alias may lead to an alias; a loop ends. */
const longestAlias = 8;

export function zoneOf(name: string, sets: RecordSets, routing: Routing): Zone {
  const names = new Set([...sets.values()].map((set) => set.name));
  const recordsOf = (asked: string, type: RecordType, depth: number): ReturnType<Zone['records']> => {
    const chosen = choose(sets, groupOf(sets, asked, type), routing);
    if (chosen === undefined) return undefined;
    const { alias, values, ttl = 0 } = chosen;
    if (alias !== undefined) return depth < longestAlias ? recordsOf(alias.name, type, depth + 1) : undefined;
    return values.map((value) => ({ ttl, data: parseData(type, value) as RecordData }));
  };
  return {
    name,
    exists: (asked) => names.has(asked) || [...names].some((each) => each.endsWith(`.${asked}`)),
    records: (asked, type) => recordsOf(asked, type, 0),
  };
}

function choose(sets: RecordSets, group: readonly RecordSet[], routing: Routing): RecordSet | undefined {
  const [first] = group;
  const isHealthy = (set: RecordSet) => isSetHealthy(sets, set, routing, 0);
  if (first?.failover !== undefined) return chooseFailover(group, isHealthy);
  if (first?.weight !== undefined) return chooseWeighted(group, isHealthy, routing.random);
  // A simple set is answered whatever its health: there is no other.
  return first;
}

/** Where both are unhealthy, the primary: an answer that may be wrong is better than none. */
function chooseFailover(group: readonly RecordSet[], isHealthy: (set: RecordSet) => boolean): RecordSet | undefined {
  const primary = group.find(({ failover }) => failover === 'PRIMARY');
  const secondary = group.find(({ failover }) => failover === 'SECONDARY');
  if (primary !== undefined && isHealthy(primary)) return primary;
  return secondary !== undefined && isHealthy(secondary) ? secondary : (primary ?? secondary);
}

/**
 * By weight among the healthy ones; those of weight 0 are for when no other is healthy; where none is, all count as
 * healthy (Developer Guide, "How Amazon Route 53 chooses records when health checking is configured").
 */
function chooseWeighted(
  group: readonly RecordSet[],
  isHealthy: (set: RecordSet) => boolean,
  random: () => number,
): RecordSet | undefined {
  const healthy = group.filter(isHealthy);
  const eligible = healthy.length > 0 ? healthy : group;
  const total = eligible.reduce((sum, { weight = 0 }) => sum + weight, 0);
  if (total === 0) return eligible[Math.floor(random() * eligible.length)];
  let left = random() * total;
  return eligible.find(({ weight = 0 }) => {
    left -= weight;
    return left < 0;
  });
}

/** An alias that evaluates its target is as healthy as the best that it leads to. */
function isSetHealthy(sets: RecordSets, set: RecordSet, routing: Routing, depth: number): boolean {
  if (set.healthCheckId !== undefined && !routing.isHealthy(set.healthCheckId)) return false;
  if (!set.alias?.evaluatesTargetHealth || depth === longestAlias) return true;
  return groupOf(sets, set.alias.name, set.type).some((target) => isSetHealthy(sets, target, routing, depth + 1));
}
