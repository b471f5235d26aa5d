import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../cli/exit-codes.ts';
import { drillClockFactor, parseCloudOptions, parseDrillOptions } from '../../cli/options.ts';
import { markdownFiles, read, tableRows } from './repository.ts';

const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
const readme = read('README.md');

/** Options that a parser knows: it names them when it refuses one. */
function knownOptions(parse: (argv: readonly string[]) => unknown): string[] {
  try {
    parse(['--no-such-option']);
  } catch (error) {
    return (error as Error).message.match(/--[a-z-]+/g)?.filter((option) => option !== '--no-such-option') ?? [];
  }
  return [];
}

const rowOf = (command: string) =>
  tableRows(readme)
    .find(([first]) => first === `\`${command}\``)
    ?.join(' ') ?? '';

describe('commands', () => {
  it.each(markdownFiles)('%s names only npm scripts that exist', (file) => {
    const named = [...read(file).matchAll(/npm (?:run ([\w-]+)|(test))\b/g)].map(([, run, test]) => run ?? test ?? '');
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  it.each([
    { command: 'npm run drill', parse: parseDrillOptions },
    { command: 'npm run cloud', parse: parseCloudOptions },
  ])('$command: the README names exactly its options', ({ command, parse }) => {
    const named = rowOf(command).match(/--[a-z-]+/g) ?? [];
    expect(named.toSorted()).toEqual(knownOptions(parse).toSorted());
    for (const option of named)
      expect(tableRows(readme).map(([first]) => first?.match(/--[a-z-]+/)?.[0])).toContain(option);
  });

  it('documents every exit code and no other', () => {
    const documented = tableRows(readme).flatMap(([first = '']) => (/^\d+$/.test(first) ? [Number(first)] : []));
    expect(documented).toEqual(Object.values(exitCodes));
  });

  it.each([
    { option: '--environment NAME', value: parseDrillOptions([]).environment },
    { option: '--rows N', value: parseDrillOptions([]).rows },
    { option: '--clock-factor N', value: parseCloudOptions([]).clockFactor },
  ])('documents the default of $option', ({ option, value }) => {
    const [, documented = ''] = tableRows(readme).find(([first]) => first === `\`${option}\``) ?? [];
    expect(documented.replaceAll('`', '')).toBe(String(value));
  });

  it('names the factor of the drill’s clock', () => {
    expect(read('docs/architecture.md')).toContain(`\`npm run drill\` (${drillClockFactor})`);
  });
});
