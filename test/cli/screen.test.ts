import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { duration, Screen } from '../../cli/screen.ts';

test.each([
  [0, '0.0 s'],
  [9.94, '9.9 s'],
  [59.9, '59.9 s'],
  [59.97, '1 min'],
  [245, '4 min 05 s'],
  [900, '15 min'],
  [3599.6, '1 h'],
  [3720, '1 h 02 min'],
  [7199, '2 h'],
  [14_400, '4 h'],
])('%d seconds are said as %s', (seconds, said) => {
  expect(duration(seconds)).toBe(said);
});

/** A screen, and what was written to it. */
function screenOf(options: { columns?: number; silent?: boolean }) {
  const { columns, silent = false } = options;
  const out = Object.assign(new PassThrough(), columns === undefined ? {} : { isTTY: true, columns });
  const screen = new Screen({ out: out as unknown as NodeJS.WriteStream, silent });
  return { screen, written: () => String(out.read() ?? '') };
}
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours and the cursor's commands are control characters
const plain = (text: string) => text.replace(/\x1b\[[\d;]*[a-zA-Z]/g, '');
const longest = (text: string) =>
  Math.max(
    ...plain(text)
      .split('\n')
      .map((line) => line.split('\r').at(-1)?.length ?? 0),
  );

const long = `the restored copy ${'is what it should be '.repeat(12)}${'x'.repeat(90)}`;
const table = [
  ['', 'objective', 'achieved', ''],
  ['RTO', '1 h', '21.4 s', long],
  ['validation', 'all pass', '12 of 12', 'short'],
];
function everything(screen: Screen): void {
  screen.heading(long);
  screen.item('good', 'CutOver', 1, long);
  screen.item('bad', 'CutOver', undefined, long);
  screen.table(table);
  screen.text(long);
  screen.living(long);
}

test('no line is wider than the terminal', () => {
  const { screen, written } = screenOf({ columns: 80 });
  everything(screen);
  expect(longest(written())).toBeLessThanOrEqual(80);
});

test('what is no terminal gets whole lines, no living one, and no control characters (control)', () => {
  const { screen, written } = screenOf({});
  everything(screen);
  const text = written();
  expect(longest(text)).toBeGreaterThan(300);
  expect(text).toBe(plain(text));
  expect(text).not.toContain('\r');
});

test('what went well is cut; what did not is told in full', () => {
  const { screen, written } = screenOf({ columns: 80 });
  const told = (tone: 'good' | 'bad') => {
    screen.item(tone, 'CutOver', 1, long);
    return plain(written()).replace(/\s/g, '');
  };
  expect(told('good')).toMatch(/…$/);
  expect(told('bad')).toContain(long.replace(/\s/g, ''));
});

test('columns are aligned, and a wrapped note stays in its column', () => {
  const { screen, written } = screenOf({ columns: 80 });
  screen.table(table);
  const lines = plain(written()).split('\n');
  const [first = '', ...more] = lines.filter((line) => line.includes('is what'));
  const column = first.indexOf('the restored');
  expect(more.length).toBeGreaterThan(1);
  expect(more.every((line) => line.slice(0, column).trim() === '' && line[column] !== ' ')).toBe(true);
});

test('the living line gives way to a finished one and comes back', () => {
  const { screen, written } = screenOf({ columns: 80 });
  screen.living('  … 1.0 s of 1 h');
  screen.line('done');
  expect(written()).toBe('  … 1.0 s of 1 h\r\x1b[Kdone\n  … 1.0 s of 1 h');
});

test('silent, it writes nothing', () => {
  const { screen, written } = screenOf({ columns: 80, silent: true });
  everything(screen);
  expect(written()).toBe('');
});
