import { startProof } from '../../core/backup/prove-backup.ts';
import { executions } from '../adapters/aws/executions.ts';
import { backupPorts } from '../adapters/backup-ports.ts';
import { makePart, PartInput } from '../part.ts';

export const handler = makePart(PartInput, (input, rt) => {
  // The proof of a snapshot needs no S3, whose client is large.
  const list = async () => (await import('../adapters/aws/dump-folder.ts')).dumpFolder(rt).list();
  return startProof(input, { ...backupPorts(rt), dumps: { list }, executions: executions(rt) });
});
