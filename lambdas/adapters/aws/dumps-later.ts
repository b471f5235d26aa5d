/** The plan's dumps for functions that are seldom asked for one: S3's client is large, and loaded when it is asked. */
import type { Dumps } from '../../../core/database/dump/ports.ts';
import type { Runtime } from '../../handler.ts';

export function dumpsLater(rt: Pick<Runtime, 'here' | 'settings'>): Pick<Dumps, 'find'> {
  return { find: async (name) => (await import('./dumps.ts')).dumps(rt).find(name) };
}
