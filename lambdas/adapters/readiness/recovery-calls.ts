/** What the bundle says of the functions of a recovery: which there are, in both Regions, and which calls each makes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RecoveryCalls } from '../../../core/readiness/calls.ts';

export function readRecoveryCalls(): RecoveryCalls {
  const file = join(process.env.LAMBDA_TASK_ROOT ?? '.', 'recovery-calls.json');
  return RecoveryCalls.parse(JSON.parse(readFileSync(file, 'utf8')));
}
