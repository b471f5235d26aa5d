import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { Configuration } from '../../../config/schema.ts';

/** Credentials of the heartbeat's and the sentinel's role, made in the primary Region and replicated to the DR Region. */
export class DatabaseSecrets extends Construct {
  constructor(scope: Construct, id: string, configuration: Configuration) {
    super(scope, id);
    const { heartbeatRole, sentinelRole } = configuration.database;
    for (const [name, role] of [['Heartbeat', heartbeatRole] as const, ['Sentinel', sentinelRole] as const]) {
      const secret = new secretsmanager.Secret(this, name, {
        secretName: role.secretName,
        description: `Login of ${role.name}`,
        generateSecretString: {
          secretStringTemplate: JSON.stringify({ username: role.name }),
          generateStringKey: 'password',
          passwordLength: 32,
          excludePunctuation: true,
        },
        replicaRegions: [{ region: configuration.dr.region }],
        removalPolicy: RemovalPolicy.RETAIN,
      });
      Validations.of(secret).acknowledge({
        id: 'AwsSolutions::AwsSolutions-SMG4',
        reason: 'Rotated with prepare-database, which sets the password in the database in the same step.',
      });
    }
  }
}
