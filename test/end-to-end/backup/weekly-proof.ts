/** What was backed up is restored in drills, put on record and shown. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { dumpDatabase } from '../../../cli/installation.ts';
import { Proof } from '../../../core/backup/contracts.ts';
import { cutOff, here, site, start, there } from './site.ts';

describe('the weekly proof', () => {
  const children = new Set<ChildProcess>();
  afterAll(() => {
    for (const child of children) child.kill('SIGKILL');
  });

  /** The command line, as it is typed. */
  async function dr(...argv: string[]): Promise<{ code: number | null; out: string }> {
    const { cloud, connection } = site.installation;
    const child = spawn(process.execPath, [join(import.meta.dirname, '../../../bin/dr.ts'), ...argv], {
      env: {
        PATH: process.env.PATH,
        HOME: cloud.dataDirectory,
        COLUMNS: '300',
        AWS_EC2_METADATA_DISABLED: 'true',
        AWS_ENDPOINT_URL: cloud.endpoint,
        AWS_ACCESS_KEY_ID: connection.credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: connection.credentials.secretAccessKey,
      },
    });
    children.add(child);
    let out = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data) => {
        out += data;
      });
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    children.delete(child);
    return { code, out };
  }

  test('restores the newest backup in a drill, puts it on record, and `dr backups` shows it', async () => {
    const ended = await start({ task: 'prove' });
    expect(ended).toMatchObject({ status: 'SUCCEEDED', cause: '' });
    const proofs = (await site.records()).filter(({ pk }) => pk === 'backup-proof');
    const { pk: _, sk: __, ttl: ___, ...proof } = proofs[0] ?? {};
    expect(Proof.parse(proof)).toMatchObject({ verdict: 'passed' });
    expect(await site.leftovers()).toEqual([]);
    const { code, out } = await dr('backups', '--environment', 'staging');
    expect({ code, out }).toMatchObject({ code: 0 });
    const line = (...parts: string[]) => out.split('\n').find((each) => parts.every((part) => each.includes(part)));
    const name = Proof.parse(proof).backup;
    expect(line('daily backup', here, name)).toContain('restored by a drill at');
    expect(line('daily backup', there, name)).toContain('restored by a drill at');
    expect(line('point in time', there)).toContain('not proven yet');
    expect(line('dump', here)).toContain('read whole at');
    expect(line('cluster state', there)).toContain('complete');
    expect(line('snapshot', here, 'before-the-release')).toContain('not proven');
  });
  test('loads the newest dump in a drill, and of one that does not load says that it is no backup', async () => {
    const dump = await dumpDatabase(site.installation);
    const listed = async () => {
      const { out } = await dr('backups', '--environment', 'staging');
      return out.split('\n').find((line) => line.includes(dump));
    };
    expect(await start({ task: 'prove-dump' })).toMatchObject({ status: 'SUCCEEDED', cause: '' });
    expect(await listed()).toContain('restored by a drill at');
    await cutOff(dump);
    expect(await start({ task: 'prove-dump' })).toMatchObject({ status: 'FAILED', error: 'BackupIncomplete' });
    expect(await listed()).toContain('NO BACKUP: LoadDump failed');
    expect(await site.leftovers()).toEqual([]);
  });
});
