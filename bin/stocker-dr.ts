#!/usr/bin/env node
/** The CDK application: `cdk synth -c env=production|staging`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { configurationOf } from '../config/index.ts';
import { namesOf, settingsOf } from '../config/names.ts';
import { bundleFunctions } from '../lib/bundle.ts';
import { recoveryCallsOf } from '../lib/recovery-calls.ts';
import { RegionStack } from '../lib/stacks/region-stack.ts';

const app = new App();
const configuration = configurationOf(app.node.tryGetContext('env') ?? 'production');
const directory = mkdtempSync(join(tmpdir(), 'stocker-dr-bundle-'));
const bundle = bundleFunctions(settingsOf(configuration), recoveryCallsOf(configuration), directory);
process.once('exit', () => rmSync(bundle.directory, { recursive: true, force: true }));

for (const role of ['primary', 'dr'] as const) {
  const { region } = configuration[role];
  new RegionStack(app, namesOf(configuration).stack(region), {
    configuration,
    role,
    bundleDirectory: bundle.directory,
    env: { account: configuration.account, region },
    description: `STOCKER Pro disaster recovery, ${configuration.environment}, ${role} Region`,
  });
}
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
