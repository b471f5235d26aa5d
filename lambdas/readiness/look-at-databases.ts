import { lookAtDatabases } from '../adapters/readiness/databases.ts';
import { makeLook } from '../look.ts';

export const handler = makeLook('databases', lookAtDatabases);
