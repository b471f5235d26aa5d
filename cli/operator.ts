/** A person's way into a deployed installation: AWS by the usual credential chain, or wherever AWS_ENDPOINT_URL points. */
import { configurationOf } from '../config/index.ts';
import { namesOf } from '../config/names.ts';
import type { Configuration } from '../config/schema.ts';
import type { IncidentRecord } from '../core/incident/contracts.ts';
import { type Clients, clientsOf } from './clients.ts';
import { connectionOfEnvironment } from './connection.ts';
import { UsageError } from './exit-codes.ts';
import { dr as hint, hintsAreFor } from './hints.ts';
import type { OperatorOptions } from './operator-options.ts';
import { readActiveDatabase, readIncidentRecord } from './records.ts';

export interface Operator {
  readonly configuration: Configuration;
  readonly names: ReturnType<typeof namesOf>;
  readonly region: string;
  /** Clients of that Region. */
  readonly here: Clients;
  /** Clients of the DR Region, where lease, active database and approvals are. */
  readonly dr: Clients;
}

/** Clients of one of the two Regions. */
export function clientsIn({ region, here, dr, configuration }: Operator, wanted: string): Clients {
  if (wanted === region) return here;
  return wanted === configuration.dr.region ? dr : clientsOf(connectionOfEnvironment(), wanted);
}

/** Of the DR Region alone, whatever is active, and before anything is deployed. */
export function operatorIn(environment: string): Pick<Operator, 'configuration' | 'names' | 'dr'> {
  const configuration = configurationOf(environment);
  const dr = clientsOf(connectionOfEnvironment(), configuration.dr.region);
  return { configuration, names: namesOf(configuration), dr };
}

export async function operatorAt({ environment, region }: OperatorOptions): Promise<Operator> {
  hintsAreFor(environment, region);
  const { configuration, names, dr } = operatorIn(environment);
  const chosen =
    region ?? (await readActiveDatabase(dr.dynamodb, names.controlTable))?.region ?? configuration.primary.region;
  return { configuration, names, region: chosen, here: clientsOf(connectionOfEnvironment(), chosen), dr };
}

/** Throws where there is no such incident. */
export async function requireIncident(
  { configuration, here, names, region }: Operator,
  incident: string,
): Promise<IncidentRecord> {
  const record = await readIncidentRecord(here.dynamodb, names.incidentTable, incident);
  if (record) return record;
  throw new UsageError(
    `There is no incident ${incident} in ${region}, ${configuration.environment}. See which there are: ${hint('status')}; where it is the other Region’s, give --region ${region === configuration.dr.region ? configuration.primary.region : configuration.dr.region}.`,
  );
}
