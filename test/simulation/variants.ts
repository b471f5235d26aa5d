/** Installations that are configured otherwise than production: of which a plan is, and the assemblies that they run. */
import { configurationOf } from '../../config/index.ts';
import { type Configuration, parseConfiguration } from '../../config/schema.ts';
import type { Plan } from './plan.ts';
import type { RunOptions } from './run.ts';

/** The primary fences itself before the DR Region takes over; no replica stands by, only replicated backups; or both. */
export const variants = ['strict', 'backups', 'strict-backups'] as const;
export type Variant = (typeof variants)[number];

export interface Place {
  /** A synthesized assembly of production as it is configured. */
  readonly assembly: string;
  /** Assemblies of variants, those that plans are of. */
  readonly variants?: Readonly<Partial<Record<Variant, string>>>;
  /** Where clouds keep their files. */
  readonly directory: string;
}

/** A tenure that outlives a promotion, and the shortest time for the fence that a configuration may give: a bound too short shows. */
const strict = { mode: 'strict', tenureSeconds: 600, fenceSeconds: 120 } as const;
/** What replicated backups can hold, of the plan's objectives those of staging. */
const slower = { rtoSeconds: 14_400, rpoSeconds: 3600 };

export function configurationFor(variant: Variant | undefined): Configuration {
  const production = configurationOf('production');
  if (variant === undefined) return production;
  const { region, database, objectives } = production;
  return parseConfiguration({
    ...production,
    ...(variant !== 'backups' && { region: { ...region, fencing: strict } }),
    ...(variant !== 'strict' && {
      database: { ...database, regionProtection: 'automated-backups' },
      objectives: { ...objectives, ...slower },
    }),
  });
}

/** Throws where the plan's variant was not made. */
export function optionsFor({ variant }: Plan, place: Place): Omit<RunOptions, 'onReady'> {
  const assembly = variant === undefined ? place.assembly : place.variants?.[variant];
  if (assembly === undefined) throw new Error(`Nobody has synthesized the variant ${variant}`);
  return { configuration: configurationFor(variant), assembly, directory: place.directory };
}
