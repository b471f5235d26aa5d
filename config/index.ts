/** The environments of this installation, by name. */
import { production } from './production.ts';
import type { Configuration } from './schema.ts';
import { staging } from './staging.ts';

export const environments: Readonly<Record<string, Configuration>> = { production, staging };

/** The configuration of an environment; an unknown name is refused, naming those that exist. */
export function configurationOf(environment: string): Configuration {
  const configuration = environments[environment];
  if (configuration) return configuration;
  throw new Error(`There is no environment "${environment}". Give one of: ${Object.keys(environments).join(', ')}.`);
}
