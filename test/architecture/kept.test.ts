import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** What a file keeps from one call of a function to the next: a variable, or something empty that calls fill. */
const kept =
  /^(?:export )?(?:let |const \w+(?:: [^=]+)? = (?:new (?:Weak)?(?:Map|Set)(?:<.*>)?\(\)|(?:\{\}|\[\])(?: as [^;]+)?;))/;
/** The simulation evaluates such a file once per execution environment, and all others once for all (ADR 0023). */
const mark = '/*! @per-environment';
/** Filled while files are evaluated, never by calls; and by session, which is one environment's. */
const exceptions = ['core/errors.ts: errorRegistry', 'core/database/relations.ts: resolved'];

function unmarked(file: string, text: string): string[] {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    const name = /(?:let|const) (\w+)/.exec(line)?.[1];
    return kept.test(line) && !lines[index - 1]?.startsWith(mark) ? [`${file}: ${name}`] : [];
  });
}

it('what a function keeps from one call to the next is marked', () => {
  const files = globSync('{core,config,lambdas}/**/*.ts', { cwd: root });
  expect(files.length).toBeGreaterThan(100);
  const found = files.flatMap((file) => unmarked(file, readFileSync(join(root, file), 'utf8')));
  expect(found.sort()).toEqual(exceptions.toSorted());
});

it.each([
  'let last: string | undefined;',
  'const known = new Map<string, number>();',
  'export const seen = new Set();',
  'const cache: Record<string, number> = {};',
  'const heard: string[] = [];',
  'const noted = [] as string[];',
])('finds %s', (line) => {
  expect(unmarked('a.ts', line)).toHaveLength(1);
  expect(unmarked('a.ts', `${mark}: it */\n${line}`)).toEqual([]);
});
