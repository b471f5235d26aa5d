import { assureProtection } from '../../core/backup/assure-protection.ts';
import { backupPorts } from '../adapters/backup-ports.ts';
import { makePart, PartInput } from '../part.ts';

export const handler = makePart(PartInput, (input, rt) => assureProtection(input, backupPorts(rt)));
