/** Production on the embedded cloud, seen from outside: what it holds, and which databases take the application's writes. */
import { namesOf } from '../config/names.ts';
import { type Prober, startProber } from '../workload/clients/prober.ts';
import { clientsOf } from './clients.ts';
import { connect, type Installation } from './installation.ts';
import { presentReferences } from './measure.ts';
import { readActiveDatabase } from './records.ts';

/** A product of the third tenant: no client touches it. */
const probedProduct = 1;

/** Writes with the application's credentials to every database of both Regions, all the time. */
export function probe({ configuration, connection, cloud }: Installation): Prober {
  const { database, primary, dr } = configuration;
  return startProber({
    connection,
    regions: [primary.region, dr.region],
    securityGroupIds: [primary, dr].flatMap(({ databaseSecurityGroupIds }) => databaseSecurityGroupIds),
    database: database.name,
    secretName: database.applicationRoles[0]?.secretName ?? '',
    authority: cloud.certificateAuthority,
    pauseMs: 50,
    productId: probedProduct,
  });
}

/** What the database holds that is production now, by the product's own record. */
export async function readProduction({
  configuration,
  connection,
  cloud,
  database,
}: Installation): Promise<ReadonlySet<string>> {
  const { dynamodb } = clientsOf(connection, configuration.dr.region);
  const active = await readActiveDatabase(dynamodb, namesOf(configuration).controlTable);
  if (!active) throw new Error('No active database is registered');
  const { master } = database;
  const session = await connect({ ...active, master }, configuration.database.name, cloud.certificateAuthority);
  return presentReferences(session).finally(() => session.end());
}
