/**
 * Which process is meant by a pid: a number alone may have been given to somebody else since.
 * Linux tells in /proc; elsewhere `ps` does, to the second.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';

export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in the words of the platform; equal only for the same process. */
  readonly startedAt: string;
  /** The pid namespace it lives in. A pid of another one (a container that shares this directory) says nothing here. */
  readonly namespace: string;
  /** The boot it lives in: nothing survives one. */
  readonly boot: string;
}

const linux = process.platform === 'linux';

/** The living process of that pid; undefined when there is none, or only its zombie. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const startedAt = linux ? startOnLinux(pid) : startElsewhere(pid);
  return startedAt === undefined ? undefined : { pid, startedAt, namespace: namespace(), boot: boot() };
}

/** Whether the process that was recorded is still there. A process of another namespace counts as living: nobody here can tell. */
export function isAlive(recorded: ProcessIdentity): boolean {
  if (recorded.boot !== boot()) return false;
  if (recorded.namespace !== namespace()) return true;
  return identityOf(recorded.pid)?.startedAt === recorded.startedAt;
}

/** Whether a signal sent from here would reach that very process (or the rest of its group). */
export function isOurs(recorded: ProcessIdentity): boolean {
  return recorded.boot === boot() && recorded.namespace === namespace();
}

function startOnLinux(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The command, in parentheses, may itself hold parentheses and blanks: fields count from the last one.
    const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' || state === 'X' ? undefined : rest[18];
  } catch {
    return undefined;
  }
}

function startElsewhere(pid: number): string | undefined {
  try {
    const [state = '', ...start] = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], { encoding: 'utf8' })
      .trim()
      .split(/\s+/);
    return state === '' || state.startsWith('Z') ? undefined : start.join(' ');
  } catch {
    return undefined;
  }
}

const namespace = once(() => (linux ? readlinkSync('/proc/self/ns/pid') : process.platform));
const boot = once(() => (linux ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() : process.platform));

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
