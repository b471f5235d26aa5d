import { lookAtDns } from '../adapters/readiness/dns.ts';
import { makeLook } from '../look.ts';

export const handler = makeLook('dns', lookAtDns);
