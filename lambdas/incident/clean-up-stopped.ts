import { tearDown } from '../../core/database/tear-down.ts';
import { cleanUpStopped, StoppedExecution } from '../../core/incident/clean-up-stopped.ts';
import { closingPorts } from '../adapters/aws/closing-ports.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { databases } from '../adapters/aws/rds.ts';
import { parameters } from '../adapters/aws/ssm.ts';
import { makeHandler } from '../handler.ts';

export const handler = makeHandler(StoppedExecution, (execution, rt) => {
  const control = controlStore(rt);
  const ports = { settings: rt.settings, control, databases: databases(rt), parameters: parameters(rt) };
  return cleanUpStopped(execution, {
    control,
    incidents: incidentStore(rt),
    tearDown: async ({ incident }) => (await tearDown({ incident }, ports)).summary,
    closing: closingPorts(rt),
  });
});
