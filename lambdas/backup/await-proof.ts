import * as z from 'zod';
import { awaitProof } from '../../core/backup/prove-backup.ts';
import { backups } from '../adapters/aws/backups.ts';
import { executions } from '../adapters/aws/executions.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { makePart, PartInput } from '../part.ts';

const Input = PartInput.extend({
  proof: z.strictObject({
    part: z.enum(['proof', 'dump-proof']),
    backup: z.string(),
    executionArn: z.string(),
    requestId: z.string(),
  }),
});

export const handler = makePart(Input, (input, rt) =>
  awaitProof(input, { ...rt, executions: executions(rt), incidents: incidentStore(rt), backups: backups(rt) }),
);
