/** Readiness runs and the last simulation of permissions, in the incident table of a Region. */
import { ReadinessRecord } from '../../../core/readiness/contracts.ts';
import { type FactsOf, PermissionFacts } from '../../../core/readiness/facts.ts';
import type { ReadinessRecords } from '../../../core/readiness/ports.ts';
import type { Runtime } from '../../handler.ts';
import { endOfTime, partition } from './partition.ts';

/** Longer than from one monthly drill to the next. */
const recordDays = 40;

export function readinessRecords(rt: Pick<Runtime, 'here'>): ReadinessRecords {
  const runs = partition(rt, 'readiness');
  const newest = async (upTo: string) => (await runs.read(ReadinessRecord, upTo, 1))[0];
  return {
    record: (record) =>
      runs.put(record.at, { ...record, ttl: Math.floor(Date.parse(record.at) / 1000) + recordDays * 86_400 }),
    latest: () => newest(endOfTime),
    atOrBefore: (moment) => newest(new Date(moment).toISOString()),
  };
}

type Simulation = Extract<FactsOf<'permissions'>, { found: unknown }>['found'];

/** What the last simulation of permissions found. */
export function permissionRecord(rt: Pick<Runtime, 'here'>) {
  const simulations = partition(rt, 'readiness-permissions');
  return {
    async read(): Promise<Simulation | undefined> {
      const [record] = await simulations.read(PermissionFacts, endOfTime, 1);
      return record && 'found' in record ? record.found : undefined;
    },
    write: (found: Simulation) => simulations.put('latest', { found }),
  };
}
