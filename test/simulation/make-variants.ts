/** The assemblies of variants, which the processes that run them need not know how to make. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { assemblyOf } from '../support/assembly-of.ts';
import { configurationFor, type Place, type Variant } from './variants.ts';

/** The place where these can run, too; each that is not there yet is synthesized, as production was. */
export function withVariants(place: Place, wanted: Iterable<Variant | undefined>): Place {
  const made = [...new Set(wanted)].flatMap((variant) => {
    if (variant === undefined || place.variants?.[variant] !== undefined) return [];
    const directory = join(place.directory, `variant-${variant}`);
    mkdirSync(directory, { recursive: true });
    return [[variant, assemblyOf(configurationFor(variant), directory)] as const];
  });
  return { ...place, variants: { ...place.variants, ...Object.fromEntries(made) } };
}
