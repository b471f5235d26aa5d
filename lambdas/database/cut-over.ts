import type { DebtRecord } from '../../core/configuration/contracts.ts';
import type { Baseline } from '../../core/database/contracts.ts';
import { cutOver } from '../../core/database/cut-over.ts';
import type { Announcer } from '../../core/incident/ports.ts';
import { compensations } from '../adapters/aws/compensations.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { databasesLater } from '../adapters/aws/rds-later.ts';
import { parameters } from '../adapters/aws/ssm.ts';
import { workloads } from '../adapters/kubernetes/workloads.ts';
import { logins } from '../adapters/postgres/logins.ts';
import { makeStep, type Runtime } from '../handler.ts';
import { CandidateInput } from '../inputs.ts';

/** What is written or said once is loaded then: the client of Kubernetes and that of PostgreSQL fill the bundle. */
const announcer = async (rt: Runtime) =>
  (await import('../adapters/aws/announcer.ts')).announcer(rt, incidentStore(rt));
const debts = async (rt: Runtime) => (await import('../adapters/aws/debts.ts')).debts(rt);
const baselines = async (rt: Runtime) => (await import('../adapters/aws/baselines.ts')).baselines(rt);

const ports = (rt: Runtime) => ({
  announcer: {
    announce: async (...said: Parameters<Announcer['announce']>) => (await announcer(rt)).announce(...said),
  },
  baselines: {
    latest: async (resourceId?: string) => (await baselines(rt)).latest(resourceId),
    atOrBefore: async (moment: string, resourceId?: string) => (await baselines(rt)).atOrBefore(moment, resourceId),
    record: async (baseline: Baseline) => (await baselines(rt)).record(baseline),
  },
  compensations: compensations(rt),
  control: controlStore(rt),
  debts: { open: async (record: DebtRecord) => (await debts(rt)).open(record) },
  databases: databasesLater(rt),
  parameters: parameters(rt),
  workloads: workloads(rt),
  ...logins(rt),
});

export const handler = makeStep(CandidateInput, incidentStore, (input, rt) => cutOver(input, { ...rt, ...ports(rt) }));
