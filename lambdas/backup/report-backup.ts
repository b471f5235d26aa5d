import * as z from 'zod';
import { FailedPart, Outcome } from '../../core/backup/contracts.ts';
import { reportBackup } from '../../core/backup/report-backup.ts';
import { announcer } from '../adapters/aws/announcer.ts';
import { backups } from '../adapters/aws/backups.ts';
import { evidenceStore } from '../adapters/aws/evidence-store.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { metrics } from '../adapters/aws/metrics.ts';
import { makePart, PartInput } from '../part.ts';

const Input = PartInput.extend({ outcomes: z.array(z.union([Outcome, FailedPart])) });

export const handler = makePart(Input, (input, rt) =>
  reportBackup(input, {
    ...rt,
    backups: backups(rt),
    evidence: evidenceStore(rt),
    metrics: metrics(rt),
    announcer: announcer(rt, incidentStore(rt)),
  }),
);
