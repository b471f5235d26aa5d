import { lookAtSecrets } from '../adapters/readiness/secrets.ts';
import { makeLook } from '../look.ts';

export const handler = makeLook('secrets', lookAtSecrets);
