import { verifyBackup } from '../../core/backup/verify-backup.ts';
import { backupPorts } from '../adapters/backup-ports.ts';
import { makePart, PartInput } from '../part.ts';

export const handler = makePart(PartInput, (input, rt) => verifyBackup(input, backupPorts(rt)));
