#!/usr/bin/env node
/** The CDK application: `cdk synth -c env=production|staging`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { configurationOf } from '../config/index.ts';
import { settingsOf } from '../config/names.ts';
import { bundleFunctions } from '../lib/bundle.ts';
import { recoveryCallsOf } from '../lib/recovery-calls.ts';
import { addStacks } from '../lib/stacks/region-stack.ts';

const app = new App();
const configuration = configurationOf(app.node.tryGetContext('env') ?? 'production');
const directory = mkdtempSync(join(tmpdir(), 'stocker-dr-bundle-'));
const bundle = bundleFunctions(settingsOf(configuration), recoveryCallsOf(configuration), directory);
process.once('exit', () => rmSync(bundle.directory, { recursive: true, force: true }));

addStacks(app, configuration, bundle.directory);
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
