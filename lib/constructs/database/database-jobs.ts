import type { Configuration } from '../../../config/schema.ts';
import type { Permissions } from '../permissions.ts';
import type { Permission } from '../statements.ts';

/** What the jobs of the database area may do. One project runs them all: this is what any of them needs. */
export function databaseJobPermissions({ database }: Configuration, may: Permissions): Permission[] {
  const roles = [...database.applicationRoles, database.heartbeatRole, database.sentinelRole];
  return [
    may.timeline(),
    may.readControl(),
    may.findDumps(),
    ...may.readDumps(),
    may.readSecrets(database.masterSecretName, ...roles.map(({ secretName }) => secretName)),
  ];
}
