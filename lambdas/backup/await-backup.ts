import { awaitBackup } from '../../core/backup/take-snapshot.ts';
import { backupPorts } from '../adapters/backup-ports.ts';
import { makePart, PartInput } from '../part.ts';

export const handler = makePart(PartInput, (input, rt) => awaitBackup(input, backupPorts(rt)));
