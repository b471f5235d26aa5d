/** Which operating-system account PostgreSQL runs as, and what that account can reach. */
import { chmodSync, chownSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, relative, sep } from 'node:path';

/** Empty unless this process is root: PostgreSQL refuses to run as root. */
export interface Account {
  readonly uid?: number;
  readonly gid?: number;
}

/** As root `postgres`, else `nobody`; both must be in /etc/passwd because initdb looks its own user up. Throws when neither is. */
export function findAccount(): Account {
  if (process.getuid?.() !== 0) return {};
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const user = ['postgres', 'nobody'].map((name) => users.find(([found]) => found === name)).find(Boolean);
  if (user === undefined)
    throw new Error('PostgreSQL cannot run as root, and /etc/passwd has neither postgres nor nobody.');
  return { uid: Number(user[2]), gid: Number(user[3]) };
}

/** The first directory on the way to `path` that the account may not pass, or undefined when it can reach it. */
export function blockedAt(path: string, account: Account): string | undefined {
  if (account.uid === undefined) return undefined;
  const parents: string[] = [];
  for (let at = path; ; at = dirname(at)) {
    parents.unshift(at);
    if (at === dirname(at)) break;
  }
  return parents.find((directory) => {
    const status = statSync(directory);
    const bit = status.uid === account.uid ? 0o100 : status.gid === account.gid ? 0o010 : 0o001;
    return (status.mode & bit) === 0;
  });
}

/** Lets the account pass through every directory from `root` (ours, so that its mode may change) down to `path`. Throws when a directory above blocks it. */
export function admit(root: string, path: string, account: Account): void {
  if (account.uid === undefined) return;
  let at = root;
  for (const part of ['', ...relative(root, path).split(sep)]) {
    if (part !== '') at = `${at}${sep}${part}`;
    const status = statSync(at);
    if (status.uid !== account.uid) chmodSync(at, (status.mode & 0o777) | 0o011);
  }
  const blocked = blockedAt(path, account);
  if (blocked !== undefined) throw new Error(`PostgreSQL's account (uid ${account.uid}) may not enter ${blocked}.`);
}

/** Makes a directory that belongs to the account, mode 0700 as PostgreSQL demands. */
export function makeOwnedDirectory(path: string, account: Account): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chmodSync(path, 0o700);
  own(path, account);
}

/** Writes a file that belongs to the account; 0600, because a server key may have no other mode. */
export function writeOwnedFile(path: string, content: string, account: Account): void {
  writeFileSync(path, content, { mode: 0o600 });
  own(path, account);
}

function own(path: string, account: Account): void {
  if (account.uid !== undefined && account.gid !== undefined) chownSync(path, account.uid, account.gid);
}
