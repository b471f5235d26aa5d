/** RDS for functions whose other clients leave it no room, or that seldom ask it: its client is large, and loaded when it is asked. */
import type { Databases } from '../../../core/database/ports.ts';
import type { Replicas } from '../../../core/region/ports.ts';
import type { Runtime } from '../../handler.ts';

type Reading = Pick<
  Databases,
  'find' | 'failures' | 'list' | 'restoreWindow' | 'backupsOf' | 'findSnapshot' | 'snapshotsOf' | 'parameters'
>;

export function databasesLater(rt: Pick<Runtime, 'here'>): Reading {
  const loaded = async () => (await import('./rds.ts')).databases(rt);
  return {
    find: async (identifier) => (await loaded()).find(identifier),
    failures: async (identifier) => (await loaded()).failures(identifier),
    list: async (prefix) => (await loaded()).list(prefix),
    restoreWindow: async (instance) => (await loaded()).restoreWindow(instance),
    backupsOf: async (instance) => (await loaded()).backupsOf(instance),
    findSnapshot: async (identifier) => (await loaded()).findSnapshot(identifier),
    snapshotsOf: async (instance) => (await loaded()).snapshotsOf(instance),
    parameters: async (parameterGroup) => (await loaded()).parameters(parameterGroup),
  };
}

export function replicasLater(rt: Pick<Runtime, 'here' | 'settings'>): Pick<Replicas, 'of'> {
  return { of: async (source) => (await import('./replicas.ts')).replicas(rt, rt.here.region).of(source) };
}
