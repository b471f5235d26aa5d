import { checkDump } from '../../core/backup/check-dump.ts';
import { dumpFolder } from '../adapters/aws/dump-folder.ts';
import { makePart, PartInput } from '../part.ts';

export const handler = makePart(PartInput, (_input, rt) => checkDump({ ...rt, dumps: dumpFolder(rt) }));
