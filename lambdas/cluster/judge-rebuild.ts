import { ClusterPlan, PlanReport } from '../../core/cluster/contracts.ts';
import { judgeRebuild } from '../../core/cluster/judge-rebuild.ts';
import { clusterExports } from '../adapters/aws/cluster-exports.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { makeStep, StepInput } from '../handler.ts';

const Input = StepInput.extend({ plan: ClusterPlan, report: PlanReport });

export const handler = makeStep(Input, incidentStore, (input, rt) =>
  judgeRebuild(input, { ...rt, exports: clusterExports(rt) }),
);
