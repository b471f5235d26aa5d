import * as z from 'zod';
import { acceptConfigurationRequest } from '../../core/configuration/accept-recovery.ts';
import { Execution } from '../../core/incident/contracts.ts';
import { alarms } from '../adapters/aws/alarms.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { debts } from '../adapters/aws/debts.ts';
import { executions } from '../adapters/aws/executions.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { makeHandler } from '../handler.ts';

export const handler = makeHandler(z.object({ request: z.unknown(), execution: Execution }), (input, rt) =>
  acceptConfigurationRequest(input, {
    ...rt,
    control: controlStore(rt),
    debts: debts(rt),
    executions: executions(rt),
    incidents: incidentStore(rt),
    alarms: alarms(rt),
  }),
);
