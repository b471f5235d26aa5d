/** The System V segment that every PostgreSQL server keeps, beside its real shared memory, against a second server. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Marks the segment of the server that runs in this data directory for removal: the kernel frees it with the last
 * process that uses it, however that ends. Else each server that is killed leaves one behind, and after 4,096 of them
 * (kernel.shmmni) no PostgreSQL of this machine starts any more, with "No space left on device". The lock file
 * postmaster.pid still keeps a second server away. Source of the identifiers: line 7 of postmaster.pid (PostgreSQL's
 * pidfile.h, LOCK_FILE_LINE_SHMEM_KEY).
 */
export function releaseSharedMemory(data: string): void {
  let lockFile: string;
  try {
    lockFile = readFileSync(join(data, 'postmaster.pid'), 'utf8');
  } catch {
    return; // It ended already.
  }
  const identifier = lockFile.split('\n')[6]?.trim().split(/\s+/)[1];
  if (identifier === undefined) return;
  // A machine without ipcrm, or a segment that is gone, is no reason for a database not to run.
  spawn('ipcrm', ['-m', identifier], { stdio: 'ignore' }).on('error', () => {});
}
