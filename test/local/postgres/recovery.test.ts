import { cpSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCertificateAuthority } from '../../../local/certificates.ts';
import type { Certificate } from '../../../local/kernel.ts';
import { Archiver } from '../../../local/postgres/archiver.ts';
import { manifestFile } from '../../../local/postgres/base-backup.ts';
import { type Binaries, findBinaries } from '../../../local/postgres/binaries.ts';
import { Cluster, findFreePort, superuser } from '../../../local/postgres/cluster.ts';
import { prepareRestore, type RecoveryTarget } from '../../../local/postgres/restore.ts';
import { findTemplate } from '../../../local/postgres/template.ts';

interface Source {
  readonly cluster: Cluster;
  readonly archive: string;
  /** Taken when the table `ledger` was there and empty. */
  readonly backup: string;
}

describe('a cluster whose write-ahead log is streamed into an archive', () => {
  const root = mkdtempSync(join(tmpdir(), 'recovery-'));
  const archiver = new Archiver();
  let binaries: Binaries;
  let certificate: Certificate;
  let source: Source;
  let count = 0;

  beforeAll(async () => {
    binaries = await findBinaries();
    certificate = await (await createCertificateAuthority()).issue(['db'], ['127.0.0.1']);
    source = await openSource();
  });

  afterAll(async () => {
    await source.cluster.destroy();
    await archiver.close();
    rmSync(root, { recursive: true, force: true });
  });

  const makeCluster = () =>
    new Cluster({ binaries, certificate, dataDirectory: root, directory: join(root, `c${++count}`) });
  const start = async (cluster: Cluster, recovery = {}) =>
    cluster.start({ port: await findFreePort(), settings: {}, requireTls: true }, recovery);
  const addressOf = (cluster: Cluster) => ({ ...cluster.address, user: superuser });

  test('what ended begins nothing more: a cloud that stops would wait for it forever', async () => {
    const [closed, gone] = [new Archiver(), makeCluster()];
    await Promise.all([closed.close(), gone.destroy()]);
    await expect(closed.waitFor(root, '0/0')).rejects.toThrow('The archiver was closed.');
    await expect(start(gone)).rejects.toThrow('The cluster was destroyed.');
  });

  const openSource = async (): Promise<Source> => {
    const [archive, backup] = [join(root, `w${++count}`), join(root, `b${count}`)];
    for (const directory of [archive, backup]) mkdirSync(directory);
    const cluster = makeCluster();
    await (await findTemplate(binaries, certificate)).copyTo(cluster.data);
    await start(cluster);
    await archiver.receive(archive, addressOf(cluster));
    await cluster.query('create table ledger (id int primary key)');
    const address = addressOf(cluster);
    const { endLsn } = await archiver.takeBackup({ address, directory: backup, includeWal: false });
    await archiver.waitFor(archive, endLsn);
    return { cluster, archive, backup };
  };

  const restore = async ({ backup, archive }: Source, target: RecoveryTarget): Promise<number[]> => {
    const cluster = makeCluster();
    try {
      await start(cluster, await prepareRestore(binaries, backup, cluster.data, target, archive));
      const rows = await cluster.query<{ id: number }>('select id from ledger order by id');
      return rows.map(({ id }) => id);
    } finally {
      await cluster.destroy();
    }
  };

  /** Resolves when the archive holds everything written up to now. */
  const archived = async ({ cluster, archive }: Source): Promise<void> => {
    const [now] = await cluster.query<{ lsn: string }>('select pg_current_wal_flush_lsn()::text as lsn');
    await archiver.waitFor(archive, now?.lsn ?? '');
  };

  test('goes on receiving after the server was restarted', async () => {
    await source.cluster.stop();
    await start(source.cluster);
    await archiver.receive(source.archive, addressOf(source.cluster));
    await source.cluster.query('insert into ledger values (0)');
    const [mark] = await source.cluster.query<{ lsn: string }>(
      `select pg_logical_emit_message(true, 'test', 'mark')::text as lsn`,
    );
    await archived(source);
    expect(await restore(source, { lsn: mark?.lsn ?? '' })).toEqual([0]);
  });

  test('refuses a time that the archive does not reach', async () => {
    await expect(restore(source, { time: '2199-01-01T00:00:00Z' })).rejects.toMatchObject({
      sqlState: 'F0000',
      message: expect.stringContaining('recovery ended before configured recovery target was reached'),
    });
  });

  test('refuses, instead of promoting fewer rows, when a segment is missing', async () => {
    const { cluster, archive } = source;
    await cluster.query('truncate ledger; insert into ledger select generate_series(1, 50000)');
    const [now] = await cluster.query<{ time: string }>('select clock_timestamp()::text as time');
    await cluster.query('insert into ledger values (0)');
    await archived(source);
    const target = { time: now?.time ?? '' };
    expect(await restore(source, target)).toHaveLength(50000); // control: with all segments it works
    const segments = readdirSync(archive).filter((name) => !name.endsWith('.partial'));
    const removed = segments.sort().at(-2) ?? '';
    renameSync(join(archive, removed), join(root, removed));
    await expect(restore(source, target)).rejects.toMatchObject({ sqlState: 'F0000' });
  });

  test('refuses a backup that was never finished', async () => {
    const backup = join(root, 'unfinished');
    cpSync(source.backup, backup, { recursive: true });
    rmSync(join(backup, manifestFile));
    await expect(restore({ ...source, backup }, 'immediate')).rejects.toThrow('never finished');
  });

  // The archive is asynchronous: on a machine so busy that the sender does not run, it may be further behind.
  test('loses at most one acknowledged transaction when the server is killed with its volume', {
    retry: 2,
  }, async () => {
    const own = await openSource();
    const acknowledged = await writeUntilKilled(own.cluster, 200);
    await own.cluster.destroy();
    const [last, beforeLast] = acknowledged.toReversed();
    // A target beyond the archive is refused, so what is restored is what was reached.
    const restored = await restore(own, { lsn: last ?? '' }).catch(() => restore(own, { lsn: beforeLast ?? '' }));
    expect(acknowledged.length).toBeGreaterThanOrEqual(200);
    expect(acknowledged.length - restored.length).toBeLessThanOrEqual(1);
    expect(restored).toEqual(restored.map((_, at) => at + 1));
  });
});

/** Commits one row at a time until the server is gone; returns the LSN after each acknowledged commit. */
async function writeUntilKilled(cluster: Cluster, commits: number): Promise<string[]> {
  const client = await cluster.connect();
  const acknowledged: string[] = [];
  try {
    for (let id = 1; ; id++) {
      await client.query('insert into ledger values ($1)', [id]);
      const { rows } = await client.query<{ lsn: string }>('select pg_current_wal_lsn()::text as lsn');
      acknowledged.push(rows[0]?.lsn ?? '');
      if (id === commits) void cluster.kill();
    }
  } catch {
    return acknowledged;
  }
}
