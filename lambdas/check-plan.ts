/**
 * Between a build's plan and its apply: `node check-plan.mjs plan.json`. ACTION, APPROVED and DRILL_PREFIX say what may be
 * done; anything else ends with exit status 1, and the name of the error in a file of its own, before anything is changed.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { BuildAction } from '../core/cluster/contracts.ts';
import { checkPlan } from '../core/cluster/report-build.ts';

const { ACTION, APPROVED = '', DRILL_PREFIX = '' } = process.env;
const [, , file] = process.argv;
if (file === undefined) throw new Error('node check-plan.mjs <plan as JSON>');

const limits = { action: BuildAction.parse(ACTION), approved: APPROVED, drillPrefix: DRILL_PREFIX };
const refusal = checkPlan(JSON.parse(readFileSync(file, 'utf8')), limits);
if (refusal) {
  writeFileSync('refused', refusal.error);
  for (const reason of refusal.reasons) process.stdout.write(`Error: ${reason}\n`);
  process.exit(1);
}
