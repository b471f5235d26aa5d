/**
 * A cloud's data directory: it holds who uses it, so that the next start, of any cloud in the same parent, can
 * tell what a killed cloud left and reap it. A cloud that lives is never touched.
 */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { killChildren } from './children.ts';
import { identityOf, isAlive, type ProcessIdentity } from './identity.ts';

const prefix = 'embedded-cloud-';
const recordFile = '.cloud.json';

export interface DataDirectory {
  readonly path: string;
  /** Kills the recorded children and removes everything. Synchronous and safe to repeat: it also runs while the process exits. */
  remove(): void;
}

/** Reaps what killed clouds left in `parent`, then makes a new directory there, recorded as this process's. */
export function createDataDirectory(parent: string): DataDirectory {
  mkdirSync(parent, { recursive: true });
  reap(parent);
  const own = identityOf(process.pid);
  if (own === undefined) throw new Error('this process cannot tell when it started: neither /proc nor ps answers');
  const path = mkdtempSync(join(parent, prefix));
  // Written whole: a reader finds no record or all of it.
  writeFileSync(join(path, `${recordFile}.partial`), JSON.stringify(own));
  renameSync(join(path, `${recordFile}.partial`), join(path, recordFile));
  // Children under another uid (PostgreSQL refuses root) must reach their own directories in here, and list nothing.
  chmodSync(path, 0o711);
  const remove = () => discard(path);
  process.once('exit', remove);
  return {
    path,
    remove() {
      process.off('exit', remove);
      remove();
    },
  };
}

/** Kills the children and removes the directories of clouds in `parent` whose process is gone. Returns the directories. */
export function reap(parent: string): readonly string[] {
  const left = readdirSync(parent)
    .filter((name) => name.startsWith(prefix))
    .map((name) => join(parent, name))
    .filter(isLeftover);
  for (const path of left) discard(path);
  return left;
}

function isLeftover(path: string): boolean {
  const record = readRecord(path);
  if (record !== undefined) return !isAlive(record);
  return isOld(path);
}

function readRecord(path: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(join(path, recordFile), 'utf8')) as ProcessIdentity;
  } catch {
    return undefined;
  }
}

/** Without a record it was killed between its first two steps, or is just between them: an hour tells which. */
function isOld(path: string): boolean {
  try {
    return statSync(path).mtimeMs < performance.timeOrigin + performance.now() - 3_600_000;
  } catch {
    return false;
  }
}

function discard(path: string): void {
  killChildren(path);
  // A child that was just killed may still write: rmSync then tries again.
  rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
}
