/** Imports every area's errors, which puts them into the registry. */
import { globSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
/** Error name → area (`database`). */
export const areaOfError = new Map<string, string>();

for (const file of globSync('core/*/errors.ts', { cwd: root }).sort()) {
  const area = file.split(/[\\/]/)[1] ?? '';
  const exported: Record<string, unknown> = await import(join(root, file));
  for (const each of Object.values(exported))
    if (typeof each === 'function' && 'definition' in each)
      areaOfError.set((each.definition as { name: string }).name, area);
}
