/**
 * Every process that a cloud starts (a database, a code build, a pod) is started here, so that nothing outlives
 * the cloud: not a normal end, which kills what is recorded; not kill -9, after which the kernel kills the child
 * (Linux) and the next start reaps what it did not.
 */
import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identityOf, isAlive, isOurs, type ProcessIdentity } from './identity.ts';

/** `uid` and `gid` as root only: PostgreSQL refuses to run as root. */
export type ChildOptions = Omit<SpawnOptions, 'detached' | 'shell'>;

/**
 * Starts a long-running command in the foreground as the leader of its own process group, recorded in the cloud's
 * data directory until it exits. What is left of its group then is killed. End it with `endChild`.
 * A command that is not found exits with 127, or emits `error` where there is no setpriv.
 */
export function spawnChild(
  dataDirectory: string,
  command: string,
  args: readonly string[],
  options: ChildOptions = {},
): ChildProcess {
  const directory = recordsOf(dataDirectory);
  mkdirSync(directory, { recursive: true });
  // A credential change would clear the death signal, so setpriv sets it after node changed uid and gid.
  const [program, ...rest] = hasSetpriv() ? ['setpriv', '--pdeathsig', 'KILL', '--', command] : [command];
  const child = spawn(program ?? command, [...rest, ...args], { ...options, detached: true });
  const pid = child.pid;
  if (pid === undefined) return child;
  const record = join(directory, `${pid}.json`);
  const identity = identityOf(pid);
  if (identity !== undefined) writeFileSync(record, JSON.stringify(identity));
  child.once('exit', () => {
    signalGroup(pid, 'SIGKILL');
    rmSync(record, { force: true });
  });
  return child;
}

/** Sends the signal to the child alone and resolves when it exited (at once if it has). */
export function endChild(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill(signal);
  return exited;
}

/** Kills every recorded child of the cloud in that directory that still is the process recorded, with its group. Synchronous: it runs while a process exits. */
export function killChildren(dataDirectory: string): void {
  for (const recorded of recordedChildren(dataDirectory)) {
    if (isOurs(recorded) && isAlive(recorded)) signalGroup(recorded.pid, 'SIGKILL');
  }
}

/** The children that are recorded and living. */
export function livingChildren(dataDirectory: string): readonly ProcessIdentity[] {
  return recordedChildren(dataDirectory).filter(isAlive);
}

function recordedChildren(dataDirectory: string): readonly ProcessIdentity[] {
  const directory = recordsOf(dataDirectory);
  return list(directory).flatMap((name) => {
    try {
      return [JSON.parse(readFileSync(join(directory, name), 'utf8')) as ProcessIdentity];
    } catch {
      return []; // it exited meanwhile, or the cloud was killed while writing it: the kernel's signal has it
    }
  });
}

function list(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function recordsOf(dataDirectory: string): string {
  return join(dataDirectory, '.children');
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is empty.
  }
}

let setpriv: boolean | undefined;
function hasSetpriv(): boolean {
  setpriv ??= process.platform === 'linux' && spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']).status === 0;
  return setpriv;
}
