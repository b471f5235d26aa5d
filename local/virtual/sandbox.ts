/**
 * A function's code inside this process: the bundle's own files, with time, chance, sockets, variables and output of the
 * cloud that holds it instead of the machine's. Files that say that they keep something from one call to the next are
 * evaluated once per execution environment, and so is what requires them; all others once for all, so that the engine
 * learns them once. An environment that a cloud gives back as it got it serves the next cloud too.
 */
import { evaluate, identityOf, keeps, type Modules } from '../functions/code.ts';
import { shorten } from './direct.ts';
import { builtins, globals } from './globals.ts';
import { type Place, runIn, runNowhere, type Surroundings } from './here.ts';

export class Sandbox implements Place {
  reusable = true;
  /** The file that holds the handler, once it was loaded: another asset's file with the same code is not loaded again. */
  entry: string | undefined;
  #surroundings: Surroundings | undefined;
  /** Modules that draw while they are evaluated must not draw from the run: the next run finds them evaluated. */
  #evaluating = 0;
  readonly #modules: Modules = new Map();
  #shares: boolean | undefined;
  readonly #ends = new Set<() => void>();

  enter(surroundings: Surroundings): void {
    this.#surroundings = surroundings;
  }

  /** Cuts it off: its sockets close, no timer fires, no answer reaches it any more. */
  leave(): void {
    this.#surroundings = undefined;
    for (const end of this.#ends) end();
    this.#ends.clear();
  }

  random(): number {
    return this.#evaluating > 0 ? 0.5 : (this.#surroundings?.random() ?? 0);
  }

  get around(): Surroundings | undefined {
    return this.#surroundings;
  }

  onLeave(end: () => void): () => void {
    this.#ends.add(end);
    return () => this.#ends.delete(end);
  }

  /** The exports of a file, which is evaluated once: here, or for all where the first says that files of it keep something. */
  load(path: string): object {
    this.#shares ??= keeps(path);
    if (this.#shares && !keeps(path)) return loadShared(path);
    this.#evaluating++;
    try {
      return runIn(this, () => evaluateHere(path, path, this.#modules, (name) => this.load(name)));
    } finally {
      this.#evaluating--;
    }
  }
}

/** By what a file and all that it requires are: two assemblies have most of them in common. */
const shared: Modules = new Map();

const loadShared = (path: string): object => runNowhere(() => evaluateHere(identityOf(path), path, shared, loadShared));

const realm = { globals, builtins };

function evaluateHere(key: string, path: string, modules: Modules, load: (path: string) => object): object {
  const isNew = !modules.has(key);
  const exports = evaluate(key, path, modules, realm, load);
  if (isNew) shorten(exports);
  return exports;
}
