/**
 * The files of bundles: translated once for this machine, compiled once for all sandboxes, and evaluated once for all where
 * nothing in them is a cloud's own.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { Script } from 'node:vm';
import { transformSync, version } from 'esbuild';

export type Globals = Readonly<Record<string, unknown>>;
type Wrapper = (
  exports: object,
  require: (name: string) => unknown,
  module: object,
  fileUrl: string,
  ...globals: unknown[]
) => void;

/** What a file and all that it requires are: the same in two directories where they do the same. */
export function identityOf(path: string): string {
  const hash = createHash('sha256');
  const seen = new Set<string>();
  const add = (each: string): void => {
    if (seen.has(each)) return;
    seen.add(each);
    const { key, files } = codeOf(each);
    hash.update(key);
    for (const name of files) add(resolve(dirname(each), name));
  };
  add(path);
  return hash.digest('hex');
}

/** The names that a file's own scope hides from it. */
export const hidden = [
  ...(['process', 'Date', 'Math', 'performance', 'console', 'crypto', 'fetch', 'AbortSignal'] as const),
  ...(['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] as const),
] as const;

/** A file of a bundle, compiled once for all sandboxes. */
interface Code {
  /** The same for the same content. */
  readonly key: string;
  readonly wrapper: Wrapper;
  /** Files that it requires, as it names them. */
  readonly files: readonly string[];
  /**
   * Whether all sandboxes share what it exports. It names nothing that is a cloud's own, and neither does what it
   * requires: types, checks, decisions. Evaluated for each, they would be as many classes, all of which the engine has to
   * learn anew.
   */
  readonly isCommon: boolean;
  /** What requires for others requires the sandbox's own: each has one, and common files have one that finds files only. */
  readonly passesRequireOn: boolean;
}

/** By path, and by content: two assemblies have most of their files in common. */
const codeByPath = new Map<string, Code>();
const codeByContent = new Map<string, Code>();

export function codeOf(path: string): Code {
  const known = codeByPath.get(path);
  if (known !== undefined) return known;
  const { key, code } = asCommonJs(readFileSync(path, 'utf8'));
  let made = codeByContent.get(key);
  if (made === undefined) {
    const source = `(function (exports, require, module, __fileUrl, ${hidden.join(', ')}) {${code}\n})`;
    const wrapper = new Script(source, { filename: path }).runInThisContext() as Wrapper;
    const names = requiredBy(code);
    const files = names.filter((name) => name.startsWith('.'));
    made = { key, wrapper, files, isCommon: isCommon(path, code, names), passesRequireOn: passesRequireOn(code) };
    codeByContent.set(key, made);
  }
  codeByPath.set(path, made);
  return made;
}

/** `Date` is the process's own in common files: they may take a time apart, but not ask for it. Chance is the run's. */
const own = new RegExp(
  `\\b(${hidden.filter((name) => name !== 'Date' && name !== 'Math').join('|')}|__fileUrl)\\b|\\bDate\\.now\\b|new Date(?!\\(.)|new Date\\(\\)`,
);

/** By a `require` under whatever name. */
const asksForBuiltin = new RegExp(
  `\\(\\s*["'](?:node:)?(?:${builtinModules.filter((name) => name !== 'module').join('|')})["']\\s*\\)`,
);
/** Every file makes itself a `require`, under a name of its own; it needs none unless it requires what is not a file. */
const makesRequire = /\b(?:const|var|let) (\w+) = \(0, \w+\.createRequire\)\(__fileUrl\)/;

function passesRequireOn(code: string): boolean {
  const [made, name] = makesRequire.exec(code) ?? [];
  return made !== undefined && new RegExp(`\\b${name}\\b`).test(code.replace(made, ''));
}

const requiredBy = (code: string): string[] =>
  [...code.matchAll(/\brequire\(\s*["']([^"']+)["']\s*\)/g)].map(([, name = '']) => name);

function isCommon(path: string, code: string, names: readonly string[]): boolean {
  if (own.test(code.replace(makesRequire, '')) || asksForBuiltin.test(code)) return false;
  return names.every(
    (name) => name === 'node:module' || (name.startsWith('.') && codeOf(resolve(dirname(path), name)).isCommon),
  );
}

/** What common files are given for the hidden names: they use two of them. */
const common = hidden.map((name) => (({ Date, Math }) as Globals)[name]);

/** Exports as values, where a module asks for each through two functions every time. One that is not set yet stays a question. */
export function settled(exports: object): object {
  const given = exports as Record<string, unknown>;
  const values = Object.defineProperty({} as Record<string, unknown>, '__esModule', { value: true });
  for (const name of Object.keys(given)) {
    if (given[name] !== undefined) values[name] = given[name];
    else Object.defineProperty(values, name, { enumerable: true, get: () => given[name] });
  }
  return values;
}

const commonModules = new Map<Wrapper, { exports: object }>();

export function loadCommon(path: string): object {
  const { wrapper } = codeOf(path);
  const known = commonModules.get(wrapper);
  if (known !== undefined) return known.exports;
  const module = { exports: {} };
  commonModules.set(wrapper, module);
  const require = (name: string): unknown => {
    if (name === 'node:module') return { createRequire: () => require };
    if (name.startsWith('.')) return loadCommon(resolve(dirname(path), name));
    throw new Error(`${path} requires ${name}, which it was not seen to do`);
  };
  wrapper(module.exports, require, module, `file://${path}`, ...common);
  module.exports = settled(module.exports);
  return module.exports;
}

/** One process after another meets the same files. In this checkout: code from a directory that all users share is not run. */
const translations = join(import.meta.dirname, '../../node_modules/.cache/sandboxes');

const translation = {
  format: 'cjs',
  target: 'node24',
  // Into require, which is the sandbox's own.
  supported: { 'dynamic-import': false },
  define: { 'import.meta.url': '__fileUrl' },
} as const;

/** An ECMAScript module as a CommonJS one, translated once for this machine. */
function asCommonJs(source: string): { readonly key: string; readonly code: string } {
  const key = createHash('sha256')
    .update(JSON.stringify([version, translation, source]))
    .digest('hex');
  const file = join(translations, `${key}.cjs`);
  if (existsSync(file)) return { key, code: readFileSync(file, 'utf8') };
  const { code } = transformSync(source, translation);
  mkdirSync(translations, { recursive: true });
  // Renamed when complete: others translate at the same time.
  writeFileSync(`${file}.${process.pid}`, code);
  renameSync(`${file}.${process.pid}`, file);
  return { key, code };
}
