/** The assembly of a configuration that is no environment's: synthesized in this process, with the feature flags of cdk.json. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { settingsOf } from '../../config/names.ts';
import type { Configuration } from '../../config/schema.ts';
import { bundleFunctions } from '../../lib/bundle.ts';
import { recoveryCallsOf } from '../../lib/recovery-calls.ts';
import { addStacks } from '../../lib/stacks/region-stack.ts';

const root = join(import.meta.dirname, '../..');

/** Writes into `directory`; returns the assembly's own directory in it. */
export function assemblyOf(configuration: Configuration, directory: string): string {
  const { context } = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8'));
  // As the CDK command line hands it over, to every App that is made here.
  process.env.CDK_CONTEXT_JSON = JSON.stringify(context);
  const app = new App({ outdir: join(directory, 'cdk.out') });
  const bundle = bundleFunctions(settingsOf(configuration), recoveryCallsOf(configuration), join(directory, 'bundle'));
  addStacks(app, configuration, bundle.directory);
  const { directory: assembly } = app.synth();
  delete process.env.CDK_CONTEXT_JSON;
  return assembly;
}
