import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const rooms = ['config', 'core', 'state-machines', 'lambdas', 'lib', 'bin', 'cli', 'local', 'workload', 'scripts'];

/** A checkout of one file, linted by this project's rules. */
const elsewhere = mkdtempSync(join(tmpdir(), 'stocker-dr-architecture-'));
afterAll(() => rmSync(elsewhere, { recursive: true, force: true }));
writeFileSync(
  join(elsewhere, 'biome.json'),
  JSON.stringify({ ...JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8')), vcs: undefined }),
);

/** What the linter says about imports of these files. */
function lint(files: Readonly<Record<string, string>>): string {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(elsewhere, file, '..'), { recursive: true });
    writeFileSync(join(elsewhere, file), text);
  }
  const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
  const { stdout } = spawnSync(
    process.execPath,
    [
      biome,
      'lint',
      '--only=style/noRestrictedImports',
      '--reporter=json',
      '--max-diagnostics=none',
      ...Object.keys(files),
    ],
    { cwd: elsewhere, encoding: 'utf8' },
  );
  return stdout;
}

interface Diagnostic {
  readonly location: { readonly path: string | { readonly file: string } };
  readonly message?: unknown;
  readonly advices?: unknown;
}
const violations = [
  { from: 'core/database', imports: '../../lambdas/handler.ts', says: 'core decides and does no I/O' },
  { from: 'core/database', imports: '@aws-sdk/client-rds', says: 'core decides and does no I/O' },
  { from: 'core/database', imports: 'pg', says: 'core decides and does no I/O' },
  { from: 'core/database', imports: 'node:fs', says: 'core decides and does no I/O' },
  { from: 'lambdas/database', imports: '../../config/index.ts', says: 'Functions see core and their adapters only' },
  { from: 'lambdas/database', imports: '../../lib/bundle.ts', says: 'Functions see core and their adapters only' },
  { from: 'config', imports: '../lib/bundle.ts', says: 'config imports core alone' },
  {
    from: 'lib/constructs',
    imports: '../../lambdas/handler.ts',
    says: 'lib names functions and state machines by path',
  },
  { from: 'local/services', imports: '../../core/errors.ts', says: 'knows AWS and cdk.out, nothing of ours' },
  { from: 'local/services', imports: '../../config/index.ts', says: 'knows AWS and cdk.out, nothing of ours' },
  { from: 'workload/api', imports: '../../local/kernel.ts', says: 'it imports nothing of ours' },
  { from: 'cli', imports: '../lib/bundle.ts', says: 'speaks to the cloud through its API' },
  { from: 'bin', imports: '../test/core/fakes.ts', says: 'Nothing imports test' },
].map((each, index) => ({ ...each, file: `${each.from}/violation${index}.ts` }));
const permitted = [
  { file: 'core/database/fine.ts', imports: 'zod' },
  { file: 'lambdas/database/fine.ts', imports: '../../core/errors.ts' },
  { file: 'config/fine.ts', imports: '../core/settings.ts' },
  { file: 'lib/fine.ts', imports: '../config/index.ts' },
  { file: 'cli/fine.ts', imports: '../local/cloud.ts' },
];
const source = (specifier: string) => `import * as other from '${specifier}';\nexport const it = other;\n`;

describe('the linter', () => {
  const { diagnostics } = JSON.parse(
    lint(Object.fromEntries([...violations, ...permitted].map(({ file, imports }) => [file, source(imports)]))),
  ) as { diagnostics: readonly Diagnostic[] };
  const saidOf = (file: string) =>
    diagnostics
      .filter(({ location }) => JSON.stringify(location.path).includes(file))
      .map((each) => JSON.stringify(each));

  it.each(violations)('refuses $imports in $from, and says what to do instead', ({ file, says }) => {
    expect(saidOf(file)).toHaveLength(1);
    expect(saidOf(file)[0]).toContain(says);
  });
  it.each(permitted)('(control) permits $imports in $file', ({ file }) => {
    expect(saidOf(file)).toEqual([]);
  });
});

describe('the house', () => {
  const files = rooms.flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, encoding: 'utf8' }).map((file) => `${room}/${file}`),
  );
  const linesOf = (file: string) => readFileSync(join(root, file), 'utf8').split('\n').length - 1;

  it('has no file of more than 400 lines', () => {
    // Not state-machines/*.asl.json: one file is what runs, States Language has no includes.
    const tests = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' }).map((file) => `test/${file}`);
    const code = [...files, ...tests].filter((file) => /\.(ts|cjs|mjs)$/.test(file));
    expect(code.length).toBeGreaterThan(100);
    expect(code.filter((file) => linesOf(file) > 400)).toEqual([]);
  });
  it('keeps handlers thin: parse, wire, call, return', () => {
    const handlers = files.filter((file) => /^lambdas\/(?!adapters)[a-z]+\/[a-z-]+\.ts$/.test(file));
    expect(handlers.length).toBeGreaterThan(10);
    expect(handlers.filter((file) => linesOf(file) > 40)).toEqual([]);
  });
  it('has the same areas in core and lambdas', () => {
    const areasOf = (room: string) =>
      readdirSync(join(root, room), { withFileTypes: true })
        .filter((each) => each.isDirectory())
        .map(({ name }) => name);
    expect(areasOf('lambdas').filter((area) => area !== 'adapters' && !areasOf('core').includes(area))).toEqual([]);
  });
  it('lets the decisions take no time and no chance of their own', () => {
    const impure = files
      .filter((file) => file.startsWith('core/') && file.endsWith('.ts'))
      .filter((file) =>
        /Date\.now\(|new Date\(\)|Math\.random\(|setTimeout\(|process\.env/.test(
          readFileSync(join(root, file), 'utf8'),
        ),
      );
    expect(impure).toEqual([]);
  });
});
