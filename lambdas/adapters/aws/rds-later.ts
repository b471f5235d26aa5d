/** RDS for functions that ask it on few of their paths: its client is large, and loaded when it is asked. */
import type { Databases } from '../../../core/database/ports.ts';
import type { Runtime } from '../../handler.ts';

export function databasesLater(rt: Pick<Runtime, 'here'>): Pick<Databases, 'find' | 'parameters'> {
  const loaded = async () => (await import('./rds.ts')).databases(rt);
  return {
    find: async (identifier) => (await loaded()).find(identifier),
    parameters: async (parameterGroup) => (await loaded()).parameters(parameterGroup),
  };
}
