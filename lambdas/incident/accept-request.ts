import * as z from 'zod';
import { acceptRequest } from '../../core/incident/accept-request.ts';
import { Execution } from '../../core/incident/contracts.ts';
import { alarms } from '../adapters/aws/alarms.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { dumpsLater } from '../adapters/aws/dumps-later.ts';
import { executions } from '../adapters/aws/executions.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { databases } from '../adapters/aws/rds.ts';
import { makeHandler } from '../handler.ts';

export const handler = makeHandler(z.object({ request: z.unknown(), execution: Execution }), (input, rt) =>
  acceptRequest(input, {
    ...rt,
    control: controlStore(rt),
    executions: executions(rt),
    incidents: incidentStore(rt),
    alarms: alarms(rt),
    databases: databases(rt),
    dumps: dumpsLater(rt),
  }),
);
