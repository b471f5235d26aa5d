import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createCertificateAuthority } from '../../../local/certificates.ts';
import { findBinaries } from '../../../local/postgres/binaries.ts';
import { Cluster, findFreePort } from '../../../local/postgres/cluster.ts';
import { findTemplate } from '../../../local/postgres/template.ts';

const linux = process.platform === 'linux';

/** The System V segments of the whole machine, by identifier, with how many processes use each. */
function segments(): ReadonlyMap<string, number> {
  const rows = readFileSync('/proc/sysvipc/shm', 'utf8').trim().split('\n').slice(1);
  return new Map(rows.map((row) => row.trim().split(/\s+/)).map((cells) => [cells[1] ?? '', Number(cells[6])]));
}

const segmentOf = (cluster: Cluster): string =>
  readFileSync(join(cluster.data, 'postmaster.pid'), 'utf8').split('\n')[6]?.trim().split(/\s+/)[1] ?? '';

describe.runIf(linux)('the shared memory of a server', () => {
  const root = mkdtempSync(join(tmpdir(), 'cluster-'));
  let cluster: Cluster;

  beforeEach(async () => {
    const binaries = await findBinaries();
    const certificate = await (await createCertificateAuthority()).issue(['db'], ['127.0.0.1']);
    cluster = new Cluster({ binaries, certificate, dataDirectory: root, directory: mkdtempSync(join(root, 'c')) });
    await (await findTemplate(binaries, certificate)).copyTo(cluster.data);
    await cluster.start({ port: await findFreePort(), settings: {}, requireTls: true });
  });

  afterEach(() => cluster.destroy());
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  test('is gone with it when it is killed: nothing of it is left on the machine', async () => {
    const segment = segmentOf(cluster);
    expect(segments().get(segment)).toBeGreaterThan(0); // it is in use
    process.kill(-(cluster.pid ?? Number.NaN), 'SIGKILL');
    await expect.poll(() => segments().has(segment)).toBe(false);
  });

  test('is gone too where it made itself new after the crash of one of its processes', async () => {
    const first = segmentOf(cluster);
    const backend = await cluster.connect();
    const [row] = (await backend.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows;
    process.kill(row?.pid ?? Number.NaN, 'SIGKILL');
    // The server notes the crash a moment after the signal, and answers from its old memory until then.
    await expect.poll(() => segmentOf(cluster)).not.toBe(first);
    const second = segmentOf(cluster);
    await expect.poll(() => cluster.query('SELECT 1').catch(() => undefined)).toHaveLength(1);
    await cluster.kill();
    await expect.poll(() => [first, second].some((segment) => segments().has(segment))).toBe(false);
  });
});
