/**
 * Before a drill is destroyed: `node list-imports.mjs plan.json` prints `<address> <id>` of each resource that Terraform's
 * state lacks and that may be there all the same. DRILL_PREFIX is what a drill's names begin with.
 */
import { readFileSync } from 'node:fs';
import { importsOf } from '../core/cluster/terraform-plan.ts';

const { DRILL_PREFIX } = process.env;
const [, , file] = process.argv;
if (file === undefined || !DRILL_PREFIX) throw new Error('DRILL_PREFIX=… node list-imports.mjs <plan as JSON>');

for (const { address, id } of importsOf(JSON.parse(readFileSync(file, 'utf8')), DRILL_PREFIX))
  process.stdout.write(`${address} ${id}\n`);
