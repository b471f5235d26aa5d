import * as z from 'zod';
import { keepSnapshots } from '../../core/backup/keep-snapshots.ts';
import { backupPorts } from '../adapters/backup-ports.ts';
import { makePart, PartInput } from '../part.ts';

export const handler = makePart(PartInput.extend({ region: z.string() }), (input, rt) =>
  keepSnapshots(input, backupPorts(rt)),
);
