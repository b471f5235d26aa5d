import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as sns from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import type { Configuration } from '../../../config/schema.ts';
import type { JobProject } from '../job-project.ts';
import { RecoveryMachine, usedBy } from '../recovery-machine.ts';

export interface RegionMachineParts {
  readonly configuration: Configuration;
  readonly role: 'primary' | 'dr';
  /** Substitution → function: each machine takes those that its definition names. */
  readonly functions: Readonly<Record<string, lambda.IFunction>>;
  readonly clusterJob: JobProject;
  readonly cleanUp: lambda.IFunction;
  readonly topic: sns.ITopic;
}

/** Scenario 3 of the plan: away from the primary Region, and home again. */
export function regionMachines(scope: Construct, parts: RegionMachineParts) {
  const { configuration, role, functions, clusterJob, cleanUp, topic } = parts;
  const values = {
    ValidationConcurrency: String(configuration.validation.concurrency),
    ApprovalTimeoutSeconds: String(configuration.approval.timeoutSeconds),
  };
  const { machine: failover } = new RecoveryMachine(scope, configuration, {
    name: 'region-failover',
    functions: usedBy('region-failover', functions),
    projects: { ClusterJob: clusterJob },
    values: {
      ...values,
      TerraformStateBucket: configuration[role].terraformStateBucket,
      TerraformStateKey: configuration.cluster[role].stateKey,
      TerraformLockTable: configuration.cluster.lockTable,
      TerraformVariables: configuration.cluster[role].variables,
    },
    cleanUp,
    topic,
  });
  const { machine: failback } = new RecoveryMachine(scope, configuration, {
    name: 'region-failback',
    functions: usedBy('region-failback', functions),
    values,
    cleanUp,
    topic,
  });
  return { failover, failback };
}
