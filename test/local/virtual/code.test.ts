import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { identityOf } from '../../../local/virtual/code.ts';
import { Sandbox } from '../../../local/virtual/sandbox.ts';

const directory = mkdtempSync(join(tmpdir(), 'code-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** As esbuild begins each file of a bundle. */
const banner = "import { createRequire as __r } from 'node:module'; const require = __r(import.meta.url);";
const helper = 'const ask = ((given) => (typeof require !== "undefined" ? require : given))(); export { ask };';

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, `${banner}${text}`);
  return path;
}

/** What two sandboxes find in one file. */
const inTwo = (path: string) => [new Sandbox().load(path), new Sandbox().load(path)] as { readonly Kind: unknown }[];

describe('a file of a bundle', () => {
  it('is evaluated once for all sandboxes where nothing in it is a cloud’s own', () => {
    file('shape.mjs', 'export class Kind { at(text) { return new Date(text); } }');
    const [one, other] = inTwo(file('shapes.mjs', 'export { Kind } from "./shape.mjs";'));
    expect(one?.Kind).toBeTypeOf('function');
    expect(one?.Kind).toBe(other?.Kind);
  });

  it.each([
    ['asks for the time', 'now() { return Date.now(); }'],
    ['makes a time of now', 'now() { return new Date(); }'],
    ['reads a variable', 'region() { return process.env.AWS_REGION; }'],
    ['waits', 'wait() { setTimeout(() => {}, 1); }'],
    ['requires a module of Node.js', 'now() { return require("fs"); }'],
  ])('is evaluated for each where it %s', (what, member) => {
    const [one, other] = inTwo(file(`${what.replaceAll(' ', '-')}.mjs`, `export class Kind { ${member} }`));
    expect(one?.Kind).not.toBe(other?.Kind);
  });

  it('is evaluated for each where what it requires is', () => {
    file('clock.mjs', 'export const now = () => Date.now();');
    const [one, other] = inTwo(file('watch.mjs', 'import { now } from "./clock.mjs"; export class Kind { at = now; }'));
    expect(one?.Kind).not.toBe(other?.Kind);
  });

  it('gets what another requires for it from its own sandbox', () => {
    file('helper.mjs', helper);
    const text = 'import { ask } from "./helper.mjs"; export class Kind { crypto = ask("crypto"); }';
    const [one, other] = inTwo(file('asks.mjs', text)) as { readonly Kind: new () => { crypto: object } }[];
    expect(one?.Kind).not.toBe(other?.Kind);
    expect(one && new one.Kind().crypto).not.toBe(other && new other.Kind().crypto);
  });
});

describe('what a file is', () => {
  const asset = (name: string, limit: number) => {
    mkdirSync(join(directory, name));
    file(`${name}/limit.mjs`, `export const limit = ${limit};`);
    file(`${name}/check.mjs`, 'import { limit } from "./limit.mjs"; export const check = (n) => n < limit;');
    return file(`${name}/index.mjs`, 'export { check as handler } from "./check.mjs";');
  };

  it('is the same in two directories, and another where what it requires is another', () => {
    const one = identityOf(asset('one', 1));
    expect(identityOf(asset('same', 1))).toBe(one);
    expect(identityOf(asset('other', 2))).not.toBe(one);
  });
});
