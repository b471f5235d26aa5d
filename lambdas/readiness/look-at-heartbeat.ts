import { lookAtHeartbeat } from '../adapters/readiness/heartbeat.ts';
import { makeLook } from '../look.ts';

export const handler = makeLook('heartbeat', lookAtHeartbeat);
