import * as z from 'zod';
import { cleanUpStopped, StoppedExecution, Sweep, sweepIncidents } from '../../core/incident/clean-up-stopped.ts';
import { closingPorts } from '../adapters/aws/closing-ports.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { makeHandler } from '../handler.ts';

export const handler = makeHandler(z.union([StoppedExecution, Sweep]), async (event, rt) => {
  const { tearDownDrill, ownersOfCopies } = await import('../adapters/aws/drill-tear-down.ts');
  const { isDrilledByBuilds, tearDownBuildDrill, ownersOfClusterDrills } = await import(
    '../adapters/aws/cluster-drill.ts'
  );
  const { tearDownRegionDrill, holderOfDrillLatch } = await import('../adapters/region-drill.ts');
  const { undoPorts } = await import('../adapters/undo-ports.ts');
  const { executions } = await import('../adapters/aws/executions.ts');
  const context = {
    clock: rt.clock,
    region: rt.here.region,
    control: controlStore(rt),
    incidents: incidentStore(rt),
    executions: executions(rt),
    tearDown: (record: Parameters<typeof tearDownDrill>[0]) => {
      const { scenario } = record.incident;
      if (isDrilledByBuilds(scenario)) return tearDownBuildDrill(record, rt);
      return scenario === 'region' ? tearDownRegionDrill(record, rt) : tearDownDrill(record, rt);
    },
    compensating: undoPorts(rt),
    ownersOfCopies: async () => [
      ...(await ownersOfCopies(rt)),
      ...(await ownersOfClusterDrills(rt)),
      ...(await holderOfDrillLatch(rt)),
    ],
    closing: closingPorts(rt),
  };
  return 'sweep' in event ? sweepIncidents(context) : cleanUpStopped(event, context);
});
