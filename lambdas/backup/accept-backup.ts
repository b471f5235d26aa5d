import * as z from 'zod';
import { acceptBackup } from '../../core/backup/accept-backup.ts';
import { BackupRequest } from '../../core/backup/contracts.ts';
import { Execution } from '../../core/incident/contracts.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { executions } from '../adapters/aws/executions.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { makeHandler } from '../handler.ts';

export const handler = makeHandler(z.object({ request: BackupRequest, execution: Execution }), (input, rt) =>
  acceptBackup(input, {
    ...rt,
    region: rt.here.region,
    control: controlStore(rt),
    executions: executions(rt),
    incidents: incidentStore(rt),
  }),
);
