import { lookAtQuotas } from '../adapters/readiness/quotas.ts';
import { makeLook } from '../look.ts';

export const handler = makeLook('quotas', lookAtQuotas);
