import { startProof } from '../../core/backup/prove-backup.ts';
import { executions } from '../adapters/aws/executions.ts';
import { backupPorts } from '../adapters/backup-ports.ts';
import { makePart, PartInput } from '../part.ts';

export const handler = makePart(PartInput, (input, rt) =>
  startProof(input, { ...backupPorts(rt), executions: executions(rt) }),
);
