import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';

/** Two clouds, the second of which takes longer to stop; a third was stopped before. */
const script = `
import { stopOnSignals } from ${JSON.stringify(new URL('../../../local/process/signals.ts', import.meta.url).href)};
const stops = (name, ms) => stopOnSignals(() => new Promise((resolve) => setTimeout(() => resolve(console.log(name)), ms)));
stops('third', 0)();
stops('first', 1);
stops('second', 200);
console.log('ready');
setInterval(() => {}, 1000);
`;

const start = () =>
  spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] });

test('a signal ends the process when all of its clouds have stopped', async () => {
  const child = start();
  const [said, ended] = [text(child.stdout), once(child, 'close')];
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  expect(await ended).toEqual([null, 'SIGTERM']);
  expect(await said).toBe('ready\nfirst\nsecond\n');
});

test('a second signal ends it at once', async () => {
  const child = start();
  const ended = once(child, 'close');
  await once(child.stdout, 'data');
  child.kill('SIGINT');
  await once(child.stdout, 'data'); // the first has stopped, the second has not
  child.kill('SIGINT');
  expect(await ended).toEqual([null, 'SIGINT']);
});
