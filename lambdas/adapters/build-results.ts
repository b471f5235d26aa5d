/** What the commands of lib/buildspecs/cluster-job.yml left in the build's source directory. */
import { existsSync, readFileSync } from 'node:fs';
import type { BuildResults } from '../../core/cluster/ports.ts';

const read = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8') : undefined);
/** Of a message that travels through a variable of the build. */
const longestProblem = 400;

export const buildResults: BuildResults = {
  failed: () => read('failed')?.trim() || undefined,
  problems() {
    const lines = (read('output') ?? '').split('\n').map((line) => line.replace(/^[│╷╵\s]+/, '').trim());
    const telling = lines.filter((line) => /^(error|fatal|STAND-IN)\b/i.test(line) && !/^STAND-IN for /.test(line));
    return telling.slice(-3).map((line) => line.slice(0, longestProblem));
  },
  plan() {
    const text = read('plan.json');
    return text === undefined || text.trim() === '' ? undefined : JSON.parse(text);
  },
  differences: () => read('differences'),
  rendered: () => read('rendered.yaml'),
  build: () => ({
    arn: process.env.CODEBUILD_BUILD_ARN ?? '',
    log: process.env.CODEBUILD_LOG_PATH ?? process.env.CODEBUILD_BUILD_ID ?? '',
  }),
};
