/** The thread that writes backups and WAL. Answers the requests of archiver.ts, many at a time. */
import { parentPort } from 'node:worker_threads';
import type { ArchiveRequest } from './archiver.ts';
import { takeBaseBackup } from './base-backup.ts';
import { parseLsn } from './lsn.ts';
import { WalReceiver } from './wal-receiver.ts';

const receivers = new Map<string, WalReceiver>();

async function perform(request: ArchiveRequest): Promise<unknown> {
  switch (request.kind) {
    case 'backup':
      return takeBaseBackup(request);
    case 'receive':
      receivers.get(request.directory)?.stop();
      receivers.set(request.directory, await WalReceiver.start(request.directory, request.address));
      return undefined;
    case 'wait': {
      const receiver = receivers.get(request.directory);
      if (receiver === undefined) throw new Error('Nothing is received into this archive.');
      return receiver.waitFor(parseLsn(request.lsn));
    }
    case 'stop':
      receivers.get(request.directory)?.stop();
      receivers.delete(request.directory);
      return undefined;
  }
}

parentPort?.on('message', ({ id, request }: { id: number; request: ArchiveRequest }) => {
  perform(request).then(
    (value) => parentPort?.postMessage({ id, value }),
    (error: Error) => parentPort?.postMessage({ id, error }),
  );
});
