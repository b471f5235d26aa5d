/** Parameters for functions whose other clients leave SSM's no room: it is loaded when one is read. */
import type { Parameters } from '../../../core/database/ports.ts';
import type { Runtime } from '../../handler.ts';

export const parametersLater = (rt: Pick<Runtime, 'here'>): Pick<Parameters, 'read'> => ({
  read: async (name) => (await import('./ssm.ts')).parameters(rt).read(name),
});
