import { lookAtReplica } from '../adapters/readiness/replica.ts';
import { makeLook } from '../look.ts';

export const handler = makeLook('replica', lookAtReplica);
