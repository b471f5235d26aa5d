/** What production and staging have in common: the schema of the application and what proves it intact. */
import type { Configuration } from './schema.ts';

type Database = Configuration['database'];
type Validation = Configuration['validation'];

/** Names of the database area, by environment: `stocker-pro-production`, `stocker-pro/production/database/…`. */
export function databaseOf(
  environment: string,
): Pick<
  Database,
  | 'identifier'
  | 'replicaIdentifier'
  | 'name'
  | 'port'
  | 'masterUsername'
  | 'monitoringRoleName'
  | 'masterSecretName'
  | 'heartbeatRole'
  | 'sentinelRole'
  | 'applicationRoles'
  | 'schemaVersionSql'
  | 'dumpPrefix'
  | 'drillPrefix'
> {
  const secret = (name: string) => `stocker-pro/${environment}/database/${name}`;
  return {
    identifier: `stocker-pro-${environment}`,
    replicaIdentifier: `stocker-pro-${environment}-replica`,
    name: 'stocker_db',
    port: 5432,
    masterUsername: 'stocker',
    monitoringRoleName: `stocker-pro-${environment}-rds-monitoring`,
    masterSecretName: secret('master'),
    heartbeatRole: { name: 'stocker_dr_heartbeat', secretName: `stocker-dr-${environment}/database/heartbeat` },
    sentinelRole: { name: 'stocker_dr_sentinel', secretName: `stocker-dr-${environment}/database/sentinel` },
    applicationRoles: [{ name: 'stocker_app', secretName: secret('stocker-app') }],
    schemaVersionSql: 'SELECT max(version) FROM stocker.schema_migration',
    dumpPrefix: 'backups/',
    drillPrefix: 'dr-drill-',
  };
}

/** Deployments on EKS: the application, and the canary that a drill cuts over. */
export function applicationsOf(environment: string): Pick<Configuration, 'application' | 'canary'> {
  const target = (name: string, parameters: string) => ({
    deployment: { cluster: `stocker-pro-${environment}`, namespace: `stocker-${environment}`, name },
    urlParameter: `/stocker-pro/${environment}/${parameters}/url`,
    databaseEndpointParameter: `/stocker-pro/${environment}/${parameters}/database-endpoint`,
  });
  return { application: target('stocker-api', 'application'), canary: target('stocker-api-canary', 'canary') };
}

/** The zone's names; staging has a name of its own below them. */
export function trafficOf(environment: string): Omit<Configuration['traffic'], 'strategy'> {
  const zone = 'stocker-pro.example.com';
  const name = (host: string) => (environment === 'production' ? `${host}.${zone}` : `${host}.${environment}.${zone}`);
  return {
    hostedZoneName: zone,
    recordName: name('api'),
    drillRecordName: name('drill.api'),
    primaryRecordName: name('primary.api'),
    drRecordName: name('dr.api'),
    ttlSeconds: 60,
    nameServersParameter: `/stocker-pro/${environment}/dns/name-servers`,
  };
}

/** How the loss of a Region is judged, and how the primary is kept from taking writes beside the DR Region. */
export function regionOf(environment: string): Omit<Configuration['region'], 'standby'> {
  return {
    fencing: { mode: 'default' },
    looks: 3,
    gracefulLagSeconds: 60,
    readinessAgeSeconds: 7200,
    peerUrlParameter: `/stocker-pro/${environment}/application/peer-url`,
  };
}

/** The daily backup: what it exports and looks at, and from when on a day counts as late or missed. */
export function backupOf(environment: string): Configuration['backup'] {
  return {
    lateSeconds: 7200,
    missedSeconds: 43_200,
    dumpSeconds: 93_600,
    namespaces: [`stocker-${environment}`],
    commitParameter: `/stocker-pro/${environment}/deployment/commit`,
    terraformStates: [`${environment}/terraform.tfstate`],
  };
}

/** What makes a cluster: the repository's own names, the primary Region's, the DR Region's, and those of a drill. */
export function clusterOf(environment: string): Configuration['cluster'] {
  const blueprint = (suffix: string, cluster = `stocker-pro-${environment}`) => ({
    cluster,
    variables: `${environment}${suffix}.tfvars`,
    stateKey: `${environment}${suffix}/terraform.tfstate`,
    overlay: `kubernetes/overlays/${environment}${suffix}`,
  });
  return {
    repositoryParameter: `/stocker-pro/${environment}/deployment/repository`,
    lockTable: 'stocker-pro-terraform-locks',
    primary: blueprint(''),
    dr: blueprint('-dr'),
    databaseAddress: 'aws_db_instance.this[0]',
    drill: blueprint('-drill', `dr-drill-stocker-pro-${environment}`),
  };
}

export const validation: Omit<Validation, 'pieceSeconds' | 'gateSeconds' | 'performance'> = {
  concurrency: 8,
  scanBytesPerSecond: 100_000_000,
  rowFloors: {
    'stocker.product': 0.95,
    'stocker.warehouse': 1,
    'stocker.stock': 0.95,
    'stocker.stock_movement': 0.99,
    'stocker.customer_order': 0.95,
    'stocker.order_line': 0.95,
  },
  appendOnly: { 'stocker.stock_movement': 'id' },
  queries: [
    {
      name: 'stock equals the sum of its movements',
      kind: 'consistency',
      sql: `SELECT count(*) FROM stocker.stock s
            FULL JOIN (SELECT product_id, warehouse_id, sum(quantity) AS quantity
                       FROM stocker.stock_movement GROUP BY 1, 2) m USING (product_id, warehouse_id)
            WHERE coalesce(s.quantity, 0) <> coalesce(m.quantity, 0)`,
      expect: 0,
    },
    {
      name: 'every order has a line',
      kind: 'application',
      sql: 'SELECT count(*) FROM stocker.customer_order o WHERE NOT EXISTS (SELECT FROM stocker.order_line l WHERE l.order_id = o.id)',
      expect: 0,
    },
    {
      name: 'the synthetic tenant exists',
      kind: 'application',
      sql: "SELECT count(*) FROM stocker.tenant WHERE id = 1 AND name = 'synthetic-dr'",
      expect: 1,
    },
  ],
};

/** The plan's roles. Addresses are the installation's to fill in. */
export const team: Configuration['team'] = {
  'DR Coordinator': 'dr-coordinator@company.com',
  'Database Administrator': 'database-administrator@company.com',
  'DevOps Engineer': 'devops-engineer@company.com',
  'Application Developer': 'application-developer@company.com',
  'QA Engineer': 'qa-engineer@company.com',
};
