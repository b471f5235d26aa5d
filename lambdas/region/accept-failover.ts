import * as z from 'zod';
import { Execution } from '../../core/incident/contracts.ts';
import { acceptFailover } from '../../core/region/accept-failover.ts';
import { alarms } from '../adapters/aws/alarms.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { executions } from '../adapters/aws/executions.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { databasesLater } from '../adapters/aws/rds-later.ts';
import { makeHandler } from '../handler.ts';

const Input = z.object({ request: z.unknown(), execution: Execution, direction: z.enum(['away', 'home']) });

export const handler = makeHandler(Input, (input, rt) =>
  acceptFailover(input, {
    ...rt,
    control: controlStore(rt),
    executions: executions(rt),
    incidents: incidentStore(rt),
    alarms: alarms(rt),
    databases: databasesLater(rt),
  }),
);
