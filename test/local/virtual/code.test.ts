import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { identityOf } from '../../../local/functions/code.ts';
import { here, runIn, type Surroundings } from '../../../local/virtual/here.ts';
import { Sandbox } from '../../../local/virtual/sandbox.ts';
import { End } from '../../../local/virtual/stream.ts';

const directory = mkdtempSync(join(tmpdir(), 'code-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** As esbuild begins each file of a bundle. */
const banner = "import { createRequire as __r } from 'node:module'; const require = __r(import.meta.url);";
const mark = '/*! @per-environment: what it counted */';

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, `${banner}${text}`);
  return path;
}

/** A sandbox of a function whose one variable is its Region. */
function sandboxIn(region: string): Sandbox {
  const sandbox = new Sandbox();
  sandbox.enter({ variables: { AWS_REGION: region } } as unknown as Surroundings);
  return sandbox;
}

interface Asset {
  count(): number;
  readonly Kind: new () => { region(): string; crypto: object };
}
const counter = 'let counted = 0; export const count = () => ++counted;';
const kind = 'export class Kind { region() { return process.env.AWS_REGION; } crypto = require("crypto"); }';
const entry = (counts: string) => `export { count } from "./${counts}.mjs"; export { Kind } from "./kind.mjs";`;
file('kind.mjs', kind);
file('marked.mjs', `${mark}${counter}`);
file('unmarked.mjs', counter);

/** What two sandboxes find in one asset. */
function inTwo(name: string): readonly [Asset, Asset] {
  const path = file(`asset-of-${name}.mjs`, entry(name));
  return [new Sandbox().load(path) as Asset, new Sandbox().load(path) as Asset];
}

describe('a file of a bundle', () => {
  it('is evaluated once for all where the asset says which keep something, and those once for each', () => {
    const [one, other] = inTwo('marked');
    expect(one).toBe(other);
    const places = ['us-east-1', 'us-west-2'].map(sandboxIn);
    const counted = [0, 0, 1].map((index) => runIn(places[index] ?? expect.unreachable(), one.count));
    expect(counted).toEqual([1, 2, 1]);
    // What is kept is somebody's.
    expect(() => one.count()).toThrow(/nobody's code runs/);
  });

  it('is refused where it keeps something and exports more than functions', () => {
    file('kept-value.mjs', `${mark}export const kept = [];`);
    const path = file('asset-of-value.mjs', 'export { kept } from "./kept-value.mjs";');
    expect(() => new Sandbox().load(path)).toThrow(/its kept is no function/);
  });

  it('is evaluated for each where the asset says nothing', () => {
    const [one, other] = inTwo('unmarked');
    expect(one.Kind).not.toBe(other.Kind);
    expect([one.count(), one.count(), other.count()]).toEqual([1, 2, 1]);
  });

  it('finds what is a cloud’s own where it is called from', async () => {
    const kinds = inTwo('marked').map(({ Kind }) => new Kind());
    const places = ['us-east-1', 'us-west-2'].map(sandboxIn);
    const found = await Promise.all(
      places.map((place, index) =>
        runIn(place, async () => {
          await Promise.resolve();
          return kinds[index]?.region();
        }),
      ),
    );
    expect(found).toEqual(['us-east-1', 'us-west-2']);
    expect(kinds[0]?.region()).toBeUndefined();
  });

  it('gets chance from the sandbox that draws', () => {
    const [{ Kind }] = inTwo('marked');
    const { crypto } = new Kind() as { crypto: { randomInt(high: number): number } };
    const place = new Sandbox();
    place.enter({ random: () => 0.75 } as unknown as Surroundings);
    expect(runIn(place, () => crypto.randomInt(8))).toBe(6);
  });

  it('is another where what it requires is another, though its own text is the same', () => {
    const limits = [1, 5].map((limit) => {
      mkdirSync(join(directory, `limit-${limit}`));
      file(`limit-${limit}/limit.mjs`, `export const limit = ${limit};`);
      file(`limit-${limit}/check.mjs`, 'import { limit } from "./limit.mjs"; export const check = (n) => n < limit;');
      file(`limit-${limit}/kept.mjs`, `${mark}${counter}`);
      return file(
        `limit-${limit}/entry.mjs`,
        'export { check } from "./check.mjs"; export { count } from "./kept.mjs";',
      );
    });
    const checks = limits.map((path) => new Sandbox().load(path) as { check(n: number): boolean });
    expect(checks.map(({ check }) => check(3))).toEqual([false, true]);
  });
});

it('what arrives at an end is heard where that end was made', async () => {
  const [one, other] = [new Sandbox(), new Sandbox()];
  const near = runIn(one, () => new End());
  const far = runIn(other, () => new End());
  near.join(far);
  const heard = new Promise((resolve) => near.on('data', () => resolve(here())));
  runIn(other, () => far.write('hello'));
  expect(await heard).toBe(one);
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
