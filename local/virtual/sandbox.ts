/**
 * A function's code inside this process: the bundle's own files, with time, chance, sockets, variables and output of the
 * cloud that holds it instead of the machine's. An environment that a cloud gives back as it got it serves the next cloud
 * too.
 */
import { evaluate, type Keeping, keeps, type Modules, SharedCode } from '../functions/code.ts';
import { shorten } from './direct.ts';
import { builtins, globals } from './globals.ts';
import { here, type Place, runIn, runNowhere, type Surroundings } from './here.ts';

export class Sandbox implements Place, Keeping {
  reusable = true;
  /** The file that holds the handler, once it was loaded: another asset's file with the same code is not loaded again. */
  entry: string | undefined;
  #surroundings: Surroundings | undefined;
  /** Modules that draw while they are evaluated must not draw from the run: the next run finds them evaluated. */
  #evaluating = 0;
  readonly modules: Modules = new Map();
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

  /** The exports of its first file: of an asset that says which files keep something, all others are evaluated once for all. */
  load(path: string): object {
    if (keeps(path)) return shared.enter(path, this);
    const load = (file: string): object => this.within(() => evaluate(file, file, this.modules, realm, load, shorten));
    return load(path);
  }

  readonly within = <T>(work: () => T): T => {
    this.#evaluating++;
    try {
      return runIn(this, work);
    } finally {
      this.#evaluating--;
    }
  };
}

const realm = { globals, builtins };

const shared = new SharedCode({ realm, caller: sandboxHere, outside: runNowhere, evaluated: shorten });

/** The sandbox whose code runs now. */
function sandboxHere(): Sandbox | undefined {
  const place = here();
  return place instanceof Sandbox ? place : undefined;
}
