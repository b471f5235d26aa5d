import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { configurationOf, environments } from '../../config/index.ts';
import { settingsOf } from '../../config/names.ts';
import { Settings } from '../../core/settings.ts';
import { type Bundle, bundleFunctions, findFunctions } from '../../lib/bundle.ts';
import { recoveryCallsOf } from '../../lib/recovery-calls.ts';
import { machines, sourceOf } from '../state-machines/machines.ts';
import { assetsOf, resourcesOf, stacks } from './stacks.ts';

const limit = 600 * 1024;
const directory = mkdtempSync(join(tmpdir(), 'stocker-dr-bundle-test-'));
const calls = recoveryCallsOf(configurationOf('production'));
const bundle = bundleFunctions(settingsOf(configurationOf('production')), calls, join(directory, 'production'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

type Outputs = Bundle['metafile']['outputs'];

/** Bytes that a handler loads at once: itself and whatever it imports statically. */
function bytesLoaded(outputs: Outputs, file: string): number {
  const seen = new Set<string>();
  const pending = [file];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    pending.push(
      ...(outputs[path]?.imports ?? [])
        .filter(({ kind, external }) => kind === 'import-statement' && !external)
        .map((each) => each.path),
    );
  }
  return [...seen].reduce((sum, path) => sum + (outputs[path]?.bytes ?? 0), 0);
}
const outputOf = (path: string) => {
  const file = Object.keys(bundle.metafile.outputs).find((each) => each.endsWith(`production/${path}.mjs`));
  if (file === undefined) throw new Error(`${path} is not in the bundle`);
  return file;
};
const contentOf = (from: string) =>
  Object.fromEntries(
    readdirSync(from, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => [file.slice(from.length + 1), readFileSync(file, 'utf8')]),
  );

/** Handlers that run in CodeBuild: what they load delays nobody. */
const jobs = [
  ...machines.flatMap((machine) =>
    [...sourceOf(machine).matchAll(/"JOB",\s*"Value": "(.+?)"/g)].map(([, path = '']) => path),
  ),
  // Builds that no machine starts.
  ...['core/configuration/watch-configuration.ts', 'cli/commands/debt.ts'].flatMap((file) =>
    [...readFileSync(join(import.meta.dirname, '../..', file), 'utf8').matchAll(/JOB: '(.+?)'/g)].map(
      ([, path = '']) => path,
    ),
  ),
];

it('what keeps something from one call to the next is alone in its file, with its mark', () => {
  const marked = Object.entries(bundle.metafile.outputs).filter(([file]) =>
    readFileSync(join(import.meta.dirname, '../..', file), 'utf8').includes('/*! @per-environment'),
  );
  expect(marked.map(([, { inputs }]) => Object.keys(inputs))).toEqual([['lambdas/kept.ts']]);
});

describe('every function', () => {
  it.each(bundle.functions.filter((path) => !jobs.includes(path)))('%s loads at most 600 KB', (path) => {
    expect(bytesLoaded(bundle.metafile.outputs, outputOf(path))).toBeLessThanOrEqual(limit);
  });
  it('(control) counts what is imported statically, however far, and nothing loaded later', () => {
    const imported = (path: string, kind: 'import-statement' | 'dynamic-import') => ({ path, kind });
    const output = (bytes: number, imports: Outputs[string]['imports']) => ({
      bytes,
      imports,
      inputs: {},
      exports: [],
    });
    const outputs = {
      handler: output(1, [imported('chunk', 'import-statement'), imported('later', 'dynamic-import')]),
      chunk: output(20, [imported('deep', 'import-statement'), imported('handler', 'import-statement')]),
      deep: output(300, []),
      later: output(4000, []),
    };
    expect(bytesLoaded(outputs, 'handler')).toBe(321);
  });
  it('needs nothing at run time that the asset does not hold', () => {
    const external = Object.values(bundle.metafile.outputs)
      .flatMap(({ imports }) => imports)
      .filter((each) => each.external)
      .map(({ path }) => path);
    expect(external.filter((path) => !path.startsWith('node:') && !builtin.has(path))).toEqual([]);
  });
});
const builtin = new Set(process.getBuiltinModule('node:module').builtinModules);

it('a second bundle of the same sources is the same, byte for byte', () => {
  const again = bundleFunctions(settingsOf(configurationOf('production')), calls, join(directory, 'again'));
  expect(contentOf(again.directory)).toEqual(contentOf(bundle.directory));
});

describe.each(stacks)('the asset of $name', (stack) => {
  const asset = assetsOf(stack, 'Function/Code');
  const content = contentOf(asset);
  const code = Object.entries(content).filter(([file]) => file.endsWith('.mjs'));

  it('holds the handler of every function and job, and each of lambdas/ is deployed', () => {
    const handlers = resourcesOf(stack, 'AWS::Lambda::Function').map(([, { Properties }]) =>
      String(Properties.Handler).replace('.handler', ''),
    );
    expect([...handlers, ...jobs].filter((path) => content[`${path}.mjs`] === undefined)).toEqual([]);
    // One handler reports three kinds of builds.
    expect([...new Set([...handlers, ...jobs])].sort()).toEqual(
      findFunctions().filter((path) => exportsHandler(content[`${path}.mjs`])),
    );
  });
  it('is the same for both Regions', () => {
    const assets = stacks
      .filter(({ environment }) => environment === stack.environment)
      .map((each) => assetsOf(each, 'Function/Code'));
    expect(new Set(assets).size).toBe(1);
  });
  it('carries this environment’s settings, and parses as such', () => {
    expect(Settings.parse(JSON.parse(content['settings.json'] ?? ''))).toEqual(settingsOf(stack.configuration));
  });
  it('holds no environment’s names in its code, and no other environment’s in its settings', () => {
    const marks = (name: string) => [configurationOf(name).account, `stocker-pro-${name}`, `stocker-dr-${name}`];
    const everywhere = Object.keys(environments).flatMap(marks);
    const others = Object.keys(environments)
      .filter((name) => name !== stack.environment)
      .flatMap(marks);
    expect(
      code.flatMap(([file, text]) =>
        everywhere.filter((mark) => text.includes(mark)).map((mark) => `${file}: ${mark}`),
      ),
    ).toEqual([]);
    expect(others.filter((mark) => content['settings.json']?.includes(mark))).toEqual([]);
    // The control: this environment's are in its settings, so that the search can find them.
    expect(marks(stack.environment).filter((mark) => content['settings.json']?.includes(mark))).toHaveLength(3);
  });
  it('holds names of secrets and never one', () => {
    expect(secretsIn(JSON.parse(content['settings.json'] ?? ''))).toEqual([]);
    expect(secretsIn({ database: { masterPassword: 'hunter2', masterSecretName: 'a/name' } })).toEqual([
      'masterPassword',
    ]);
    expect(secretsIn({ url: 'postgres://stocker:hunter2@db' })).toEqual(['url']);
  });
});

const exportsHandler = (code = '') => /export\{[^}]*\bhandler\b[^}]*\}/.test(code);

/** Fields that hold, by name or by look, a credential. */
function secretsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const byName = /password|token|privatekey|accesskey/i.test(name);
    const byLook = typeof member === 'string' && (/:\/\/[^/]*:[^/]*@/.test(member) || /^AKIA|BEGIN .*KEY/.test(member));
    return byName || byLook ? [name] : secretsIn(member);
  });
}
