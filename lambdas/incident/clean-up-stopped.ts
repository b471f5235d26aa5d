import { cleanUpStopped, StoppedExecution } from '../../core/incident/clean-up-stopped.ts';
import { closingPorts } from '../adapters/aws/closing-ports.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { makeHandler } from '../handler.ts';

export const handler = makeHandler(StoppedExecution, (execution, rt) =>
  cleanUpStopped(execution, {
    control: controlStore(rt),
    incidents: incidentStore(rt),
    tearDown: async (record) => (await import('../adapters/aws/drill-tear-down.ts')).tearDownDrill(record, rt),
    closing: closingPorts(rt),
  }),
);
