/**
 * The files of bundles in a thread that many functions share: translated once for this machine, compiled once for all
 * sandboxes.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { Script } from 'node:vm';
import { transformSync, version } from 'esbuild';
import { remembered } from '../remembered.ts';

type Wrapper = (
  exports: object,
  require: (name: string) => unknown,
  module: object,
  fileUrl: string,
  ...globals: unknown[]
) => void;

/** A file and all that it requires. */
function closureOf(path: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(path)) return seen;
  seen.add(path);
  for (const name of codeOf(path).files) closureOf(resolve(dirname(path), name), seen);
  return seen;
}

/** What a file and all that it requires are: the same in two directories where they do the same. */
export const identityOf = remembered((path: string): string => {
  const hash = createHash('sha256');
  for (const each of closureOf(path)) hash.update(codeOf(each).key);
  return hash.digest('hex');
});

/** Whether a file, or one that it requires, says that it keeps something from one call to the next. */
export const keeps = remembered((path: string): boolean => [...closureOf(path)].some((each) => codeOf(each).isKeeper));

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
  /** Whether it keeps what belongs to one execution environment. */
  readonly isKeeper: boolean;
}

/** By path, and by content: two assemblies have most of their files in common. */
const codeByPath = new Map<string, Code>();
const codeByContent = new Map<string, Code>();

function codeOf(path: string): Code {
  const known = codeByPath.get(path);
  if (known !== undefined) return known;
  const text = readFileSync(path, 'utf8');
  const { key, code } = asCommonJs(text);
  let made = codeByContent.get(key);
  if (made === undefined) {
    const source = `(function (exports, require, module, __fileUrl, ${hidden.join(', ')}) {${code}\n})`;
    const wrapper = new Script(source, { filename: path }).runInThisContext() as Wrapper;
    const required = code.matchAll(/\brequire\(\s*["'](\.[^"']*)["']\s*\)/g);
    const files = [...required].map(([, name = '']) => name);
    made = { key, wrapper, files, isKeeper: text.includes(mark) };
    codeByContent.set(key, made);
  }
  codeByPath.set(path, made);
  return made;
}

/** In a comment that bundlers keep, one that begins with an exclamation mark. */
export const mark = '@per-environment';

/** Whether this very file says that it keeps something. */
export const isKeeper = (path: string): boolean => codeOf(path).isKeeper;

/** What a file finds instead of the thread's own. */
export interface Realm {
  /** By the names of `hidden`. */
  readonly globals: Readonly<Record<string, unknown>>;
  /** By their names without `node:`; the others are the machine's. */
  readonly builtins: Readonly<Record<string, unknown>>;
}

export type Modules = Map<string, { exports: object }>;

/**
 * The exports of a file, which is evaluated unless `modules` has its key; `load` gives those of the files that it requires.
 * `evaluated` is told of them once.
 */
export function evaluate(
  key: string,
  path: string,
  modules: Modules,
  { globals, builtins }: Realm,
  load: (path: string) => object,
  evaluated: (exports: object) => void = () => {},
): object {
  const known = modules.get(key);
  if (known !== undefined) return known.exports;
  const module = { exports: {} };
  modules.set(key, module);
  const require = (name: string): unknown => {
    if (name.startsWith('.')) return load(resolve(dirname(path), name));
    const builtin = name.replace(/^node:/, '');
    if (builtin === 'module') return { createRequire: () => require };
    return builtins[builtin] ?? requireBuiltin(`node:${builtin}`);
  };
  const values = hidden.map((name) => globals[name]);
  try {
    codeOf(path).wrapper(module.exports, require, module, `file://${path}`, ...values);
  } catch (error) {
    modules.delete(key);
    throw error;
  }
  module.exports = settled(module.exports);
  evaluated(module.exports);
  return module.exports;
}

const requireBuiltin = createRequire(import.meta.url);

/** One execution environment of a thread that many share. */
export interface Keeping {
  /** What belongs to it, of the files that keep something. */
  readonly modules: Modules;
  /** Runs code that belongs to it. */
  within<T>(work: () => T): T;
}

interface Surrounded {
  readonly realm: Realm;
  /** Whose code runs now. */
  readonly caller: () => Keeping | undefined;
  /** Runs code that is nobody's. */
  readonly outside: <T>(work: () => T) => T;
  /** Told of the exports of whatever is evaluated. */
  readonly evaluated?: (exports: object) => void;
}

type Call = (...given: unknown[]) => unknown;

/**
 * The files of assets for many execution environments of one thread: evaluated once for all, so that the engine learns them
 * once. Those that keep something are evaluated once for each environment; whoever requires them gets functions that call
 * those of the environment whose code runs.
 */
export class SharedCode {
  readonly #around: Surrounded;
  /** By what a file and all that it requires are: two assemblies have most of them in common. */
  readonly #modules: Modules = new Map();
  readonly #facades = new Map<string, object>();

  constructor(around: Surrounded) {
    this.#around = around;
  }

  /** The exports of an environment's first file. Throws what its files throw. */
  enter(path: string, environment: Keeping): object {
    return isKeeper(path) ? this.#own(path, environment) : this.#load(path);
  }

  readonly #load = (path: string): object => {
    const { realm, outside, evaluated } = this.#around;
    // Of one that keeps something, for its names alone.
    const exports = outside(() => evaluate(identityOf(path), path, this.#modules, realm, this.#load, evaluated));
    return isKeeper(path) ? this.#facadeOf(path, exports) : exports;
  };

  #facadeOf(path: string, exports: object): object {
    const known = this.#facades.get(identityOf(path));
    if (known !== undefined) return known;
    const calls = Object.entries(exports).map(([name, value]): [string, Call] => {
      if (typeof value !== 'function') throw new Error(`${path} keeps something, and its ${name} is no function`);
      return [name, (...given) => this.#callersOwn(path, name)(...given)];
    });
    const facade = Object.fromEntries(calls);
    this.#facades.set(identityOf(path), facade);
    return facade;
  }

  #callersOwn(path: string, name: string): Call {
    const caller = this.#around.caller();
    if (caller === undefined)
      throw new Error(`${path} keeps something, and nobody's code runs that asks for its ${name}`);
    return (this.#own(path, caller) as Record<string, Call>)[name] as Call;
  }

  #own(path: string, { modules, within }: Keeping): object {
    const key = identityOf(path);
    const known = modules.get(key);
    if (known !== undefined) return known.exports;
    const { realm, evaluated } = this.#around;
    return within(() => evaluate(key, path, modules, realm, this.#load, evaluated));
  }
}

/** Exports as values, where a module asks for each through two functions every time. One that is not set yet stays a question. */
function settled(exports: object): object {
  const given = exports as Record<string, unknown>;
  const values = Object.defineProperty({} as Record<string, unknown>, '__esModule', { value: true });
  for (const name of Object.keys(given)) {
    if (given[name] !== undefined) values[name] = given[name];
    else Object.defineProperty(values, name, { enumerable: true, get: () => given[name] });
  }
  return values;
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
