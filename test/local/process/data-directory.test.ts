import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { endChild, livingChildren, spawnChild } from '../../../local/process/children.ts';
import { createDataDirectory, reap } from '../../../local/process/data-directory.ts';
import { identityOf, isAlive } from '../../../local/process/identity.ts';

const parent = mkdtempSync(join(tmpdir(), 'data-directory-test-'));
afterAll(() => rmSync(parent, { recursive: true }));
let made = 0;
const ownParent = () => join(parent, String(made++));

/** Another process with a data directory and a child that ignores everything but SIGKILL. Tells both, then waits. */
const holder = (setpriv: boolean) => `
  ${setpriv ? '' : "process.env.PATH = '/nonexistent';"}
  const { createDataDirectory } = await import(${JSON.stringify(moduleUrl('data-directory'))});
  const { spawnChild } = await import(${JSON.stringify(moduleUrl('children'))});
  const { path } = createDataDirectory(process.argv[1]);
  const child = spawnChild(path, process.execPath, ['-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)']);
  console.log(JSON.stringify({ path, child: child.pid }));
  setInterval(() => {}, 1000);`;
const moduleUrl = (name: string) => new URL(`../../../local/process/${name}.ts`, import.meta.url).href;

async function hold(directory: string, setpriv = true) {
  const args = ['--input-type=module', '-e', holder(setpriv), directory];
  const other = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const text = await new Promise<string>((resolve) => other.stdout.once('data', (data) => resolve(String(data))));
  const { path, child } = JSON.parse(text) as { path: string; child: number };
  const identity = identityOf(child);
  if (identity === undefined) throw new Error('the child did not start');
  return { other, path, childAlive: () => isAlive(identity) };
}

describe('a data directory', () => {
  it('is removed with its children at a normal end', async () => {
    const data = createDataDirectory(ownParent());
    const child = spawnChild(data.path, 'sleep', ['60']);
    const exited = new Promise((resolve) => child.once('exit', resolve));
    expect(livingChildren(data.path).map(({ pid }) => pid)).toEqual([child.pid]);
    data.remove();
    await exited;
    expect(existsSync(data.path)).toBe(false);
  });

  it('forgets a child that exited', async () => {
    const data = createDataDirectory(ownParent());
    const child = spawnChild(data.path, 'sleep', ['60']);
    await endChild(child);
    expect(livingChildren(data.path)).toEqual([]);
    data.remove();
  });

  it.each([
    { case: 'the kernel ends its children', setpriv: true },
    { case: 'its children live on', setpriv: false },
  ])('of a process killed with -9 is reaped by the next start, when $case', async ({ setpriv }) => {
    const directory = ownParent();
    const { other, path, childAlive } = await hold(directory, setpriv);
    const died = new Promise((resolve) => other.once('exit', resolve));
    other.kill('SIGKILL');
    await died;
    if (!setpriv) expect(childAlive()).toBe(true);
    const next = createDataDirectory(directory);
    await expect.poll(childAlive).toBe(false);
    expect(existsSync(path)).toBe(false);
    next.remove();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('of a living process is left alone by others', async () => {
    const directory = ownParent();
    const { other, path, childAlive } = await hold(directory);
    expect(reap(directory)).toEqual([]);
    const second = createDataDirectory(directory);
    second.remove();
    expect(childAlive()).toBe(true);
    expect(existsSync(path)).toBe(true);
    const died = new Promise((resolve) => other.once('exit', resolve));
    other.kill('SIGKILL');
    await died;
    expect(reap(directory)).toEqual([path]);
  });
});

describe('the identity of a process', () => {
  it('is not that of another process which was given its pid', () => {
    const own = identityOf(process.pid);
    if (own === undefined) throw new Error('no identity');
    expect(isAlive(own)).toBe(true);
    expect(isAlive({ ...own, startedAt: '1' })).toBe(false);
    expect(isAlive({ ...own, boot: 'another' })).toBe(false);
  });

  it('counts a process of another namespace as living', () => {
    const own = identityOf(process.pid);
    expect(own && isAlive({ ...own, startedAt: '1', namespace: 'another' })).toBe(true);
  });
});
