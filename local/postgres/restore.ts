/** Fills a data directory from a base backup and says how to recover it. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeOwnedFile } from './account.ts';
import { archiveFile, manifestFile } from './base-backup.ts';
import { type Binaries, run } from './binaries.ts';
import type { Settings } from './settings.ts';

/**
 * Where recovery ends. There is always a target: without one PostgreSQL silently promotes whatever it has when WAL is
 * missing or damaged; with one it refuses (FATAL F0000). Times are text, because Date drops PostgreSQL's microseconds.
 */
export type RecoveryTarget =
  | { readonly time: string }
  | { readonly lsn: string }
  /** The end of a backup that includes its WAL. */
  | 'immediate';

/** Extracts a finished backup. Rejects when it never was finished. Returns the settings for the start that recovers. */
export async function prepareRestore(
  binaries: Binaries,
  backupDirectory: string,
  data: string,
  target: RecoveryTarget,
  walArchive?: string,
): Promise<Settings> {
  await extract(binaries, backupDirectory, data);
  writeOwnedFile(join(data, 'recovery.signal'), '', binaries.account);
  return {
    restore_command: walArchive === undefined ? 'exit 1' : restoreCommand(walArchive),
    recovery_target_action: 'promote',
    recovery_target_timeline: 'latest',
    // Off: with it, a server whose connection limits are below its source's would pause, then die.
    hot_standby: false,
    ...targetSettings(target),
  };
}

/** Extracts a finished backup for a server that follows another; `primary_conninfo` says which. */
export async function prepareReplica(binaries: Binaries, backupDirectory: string, data: string): Promise<void> {
  await extract(binaries, backupDirectory, data);
  writeOwnedFile(join(data, 'standby.signal'), '', binaries.account);
}

async function extract(binaries: Binaries, backupDirectory: string, data: string): Promise<void> {
  if (!existsSync(join(backupDirectory, manifestFile))) {
    throw new Error(`No manifest in ${backupDirectory}: the backup was never finished.`);
  }
  await run('tar', ['-xf', join(backupDirectory, archiveFile), '-C', data], binaries.spawn);
  // A backup of a replica has it: what is restored from one must not follow anybody.
  rmSync(join(data, 'standby.signal'), { force: true });
}

function targetSettings(target: RecoveryTarget): Settings {
  if (target === 'immediate') return { recovery_target: 'immediate' };
  if ('lsn' in target) return { recovery_target_lsn: target.lsn };
  // Read before abbreviations of time zones are known: `Z` is one, `+00` is not.
  return { recovery_target_time: target.time.replace(/Z$/, '+00') };
}

/**
 * Exit 1 means "not in the archive"; anything above 125 aborts recovery. Plain `cp` exits 1 for an unreadable file,
 * which would end recovery early and silently. The segment still being received is the `.partial` one, which may be completed,
 * and lose that name, between two looks: so the whole one is looked for once more.
 */
function restoreCommand(directory: string): string {
  const quoted = `'${directory.replaceAll("'", `'\\''`).replaceAll('%', '%%')}'`;
  return `for f in ${quoted}/%f ${quoted}/%f.partial ${quoted}/%f; do if test -e "$f"; then cp "$f" %p || exit 200; exit 0; fi; done; exit 1`;
}
