import { lookAtPermissions } from '../adapters/readiness/permissions.ts';
import { makeLook } from '../look.ts';

export const handler = makeLook('permissions', lookAtPermissions);
