/** Copies of backups and archives: they survive their originals, as another Region's do. */
import { constants, existsSync } from 'node:fs';
import { copyFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { archiveFile, manifestFile } from './base-backup.ts';

/** Shares blocks with the original where the file system can. */
const clone = constants.COPYFILE_FICLONE;

/** The manifest comes last: it is the commit marker. */
export async function copyBackupFiles(from: string, to: string): Promise<void> {
  for (const name of [archiveFile, manifestFile]) await copyFile(join(from, name), join(to, name), clone);
}

/** Brings `to` up to what `from` holds now, while it is being written. */
export async function copyArchiveFiles(from: string, to: string): Promise<void> {
  for (const name of (await readdir(from)).sort()) {
    const target = join(to, name);
    const isPartial = name.endsWith('.partial');
    if (!isPartial && existsSync(target)) continue;
    // A segment that is completed meanwhile changes its name.
    if (!(await copyInto(join(from, name), target))) await copyInto(join(from, name.replace('.partial', '')), target);
    if (!isPartial) await rm(`${target}.partial`, { force: true });
  }
}

/** False where there is no such file. A restore that reads `target` meanwhile sees all of it, before or after. */
async function copyInto(source: string, target: string): Promise<boolean> {
  try {
    await copyFile(source, `${target}.copy`, clone);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  await rename(`${target}.copy`, target);
  return true;
}
