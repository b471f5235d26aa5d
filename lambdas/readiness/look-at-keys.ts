import { lookAtKeys } from '../adapters/readiness/keys.ts';
import { makeLook } from '../look.ts';

export const handler = makeLook('keys', lookAtKeys);
