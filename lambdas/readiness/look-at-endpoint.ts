import { lookAtEndpoint } from '../adapters/readiness/endpoint.ts';
import { makeLook } from '../look.ts';

export const handler = makeLook('endpoint', lookAtEndpoint);
