/** ValidateApplication after a cluster recovery: the application does its job on the database that is production. Stops the RTO clock. */
import type { Incident } from '../incident/contracts.ts';
import { ActiveDatabaseUnknown } from '../incident/errors.ts';
import { formatSeconds, secondsBetween } from '../incident/moments.ts';
import type { ControlStore } from '../incident/ports.ts';
import type { StepResult } from '../step.ts';
import { ApplicationNotReady } from '../validation/errors.ts';
import { type ApplicationContext, validateApplication } from '../validation/validate-application.ts';
import type { PlanWhere } from './contracts.ts';
import type { ClusterView } from './ports.ts';

export interface ValidateClusterContext extends ApplicationContext {
  readonly control: Pick<ControlStore, 'readActiveDatabase'>;
  readonly cluster: (name: string) => Pick<ClusterView, 'addressOf'>;
}

interface Validated {
  readonly healthy: true;
  readonly recoveredAt: string;
}

export async function validateCluster(
  { incident, plan }: { readonly incident: Incident; readonly plan: PlanWhere },
  context: ValidateClusterContext,
): Promise<StepResult<Validated>> {
  const { settings, control } = context;
  if (incident.mode === 'drill') return validateDrill(incident, plan, context);
  const active = await control.readActiveDatabase();
  if (!active) throw ActiveDatabaseUnknown(`No active database is registered in ${settings.environment}`);
  const { identifier, resourceId, address, port } = active;
  const candidate = { identifier, resourceId, address, port, database: settings.database.name };
  const result = await validateApplication({ incident, candidate }, context);
  // No data is restored: the database was there all the while.
  return { ...result, facts: { ...result.facts, rpoSeconds: 0 } };
}

/** The drill's pods have no database: that they are alive on the rebuilt cluster is all that there is to show. */
async function validateDrill(
  incident: Incident,
  { where: { blueprint, namespace } }: PlanWhere,
  { settings, clock, http, incidents, cluster }: ValidateClusterContext,
): Promise<StepResult<Validated>> {
  const service = settings.application.deployment.name;
  const url = await cluster(blueprint.cluster).addressOf(namespace, service);
  if (url === undefined) throw ApplicationNotReady(`${service} of ${blueprint.cluster} has no address yet.`);
  const { status } = await http
    .request({ method: 'GET', url: `${url}/health/live`, headers: {}, timeoutMs: 5_000 })
    .catch((cause: unknown) => {
      throw ApplicationNotReady(`${url}/health/live is not answered`, { cause });
    });
  if (status !== 200) throw ApplicationNotReady(`${url}/health/live answers ${status}.`);
  const recoveredAt = clock.now().toISOString();
  const rtoSeconds = secondsBetween(incident.detectedAt, recoveredAt);
  const record = await incidents.read(incident.id);
  await incidents.update(incident.id, { recoveredAt, achieved: { ...record?.achieved, rtoSeconds } });
  return {
    output: { healthy: true, recoveredAt },
    summary: `the application is alive on ${blueprint.cluster}, ${formatSeconds(rtoSeconds)} after the start`,
    facts: { url, rtoSeconds, rpoSeconds: 0 },
  };
}
