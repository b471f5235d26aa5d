import type { Configuration } from '../../../config/schema.ts';
import type { Permission, Permissions } from '../permissions.ts';

/** What the jobs of the database area may do. One project runs them all: this is what any of them needs. */
export function databaseJobPermissions(_configuration: Configuration, may: Permissions): Permission[] {
  return [may.timeline()];
}
