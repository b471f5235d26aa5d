/** Names of what the region area makes. */
import { createHash } from 'node:crypto';
import type { Settings } from '../settings.ts';

/** `<production's name>-<8 hex>`: the same incident always yields the same name. */
export function successorIdentifier(
  { database }: Settings,
  incidentId: string,
  what: 'home' | 'replica' | 'restored',
): string {
  const suffix = createHash('sha256').update(`${incidentId} ${what}`).digest('hex').slice(0, 8);
  return `${database.identifier.slice(0, 54).replace(/-+$/, '')}-${suffix}`;
}
