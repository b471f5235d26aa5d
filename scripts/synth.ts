/** `npm run synth`: every environment into cdk.out/<environment>. */
import { join } from 'node:path';
import { synthesize } from '../cli/synthesize.ts';
import { environments } from '../config/index.ts';

const started = performance.now();
const made = await Promise.all(Object.keys(environments).map((name) => synthesize(name, join('cdk.out', name))));
for (const directory of made) console.log(directory);
console.log(`Synthesized ${made.length} environments in ${((performance.now() - started) / 1000).toFixed(1)} s.`);
