/** Takes a base backup over the replication protocol into one tar file. Runs in the archive worker. */
import { closeSync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { connectForReplication, type ReplicationAddress } from './replication.ts';

export const archiveFile = 'base.tar';
/** The commit marker: a backup without it was never finished. */
export const manifestFile = 'backup_manifest';

export interface BackupOptions {
  readonly address: ReplicationAddress;
  /** Exists and is empty. */
  readonly directory: string;
  /** Includes the WAL that makes it consistent: for a backup that must stand alone. */
  readonly includeWal: boolean;
}

export interface BackupResult {
  /** Positions between which the backup was taken, as PostgreSQL writes them; it is consistent from `endLsn` on. */
  readonly startLsn: string;
  readonly endLsn: string;
  readonly bytes: number;
}

export async function takeBaseBackup({ address, directory, includeWal }: BackupOptions): Promise<BackupResult> {
  const connection = await connectForReplication(address);
  const file = openSync(join(directory, archiveFile), 'w', 0o644);
  const manifest: Buffer[] = [];
  let bytes = 0;
  let inManifest = false;
  try {
    // WAIT false: waiting polls once a second. No verification of checksums: RDS snapshots copy the volume, damage
    // included, and the safety snapshot of a damaged database must not fail on the damage.
    const sets = await connection.send(
      `BASE_BACKUP (LABEL 'backup', CHECKPOINT 'fast', WAL ${includeWal}, WAIT false, VERIFY_CHECKSUMS false, MANIFEST 'yes')`,
      (message) => {
        const kind = String.fromCharCode(message[0] ?? 0);
        if (kind === 'n' && message.toString('utf8', 1, message.indexOf(0, 1)) !== archiveFile) {
          throw new Error('Tablespaces are not supported, as on RDS.');
        }
        if (kind === 'm') inManifest = true;
        if (kind !== 'd') return;
        const data = message.subarray(1);
        if (inManifest) manifest.push(Buffer.from(data));
        else bytes += writeSync(file, data);
      },
    );
    const startLsn = sets[0]?.[0]?.recptr;
    const endLsn = sets.at(-1)?.[0]?.recptr;
    if (!startLsn || !endLsn) throw new Error('The server did not say where the backup begins and ends.');
    writeFileSync(join(directory, `${manifestFile}.tmp`), Buffer.concat(manifest));
    renameSync(join(directory, `${manifestFile}.tmp`), join(directory, manifestFile));
    return { startLsn, endLsn, bytes };
  } finally {
    closeSync(file);
    connection.close();
  }
}
