/** What is deployed: one hash over settings, definitions and code, which the bundle carries. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const readRelease = (): string =>
  readFileSync(join(process.env.LAMBDA_TASK_ROOT ?? '.', 'release'), 'utf8').trim();
