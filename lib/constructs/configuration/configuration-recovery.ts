import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { ClusterRecovery } from '../cluster/cluster-recovery.ts';
import type { Permissions } from '../permissions.ts';
import type { FunctionHome } from '../recovery-function.ts';
import { RecoveryMachine } from '../recovery-machine.ts';
import { ConfigurationDetection } from './configuration-detection.ts';
import { configurationFunctions } from './configuration-functions.ts';
import { configurationPermissionsOf } from './configuration-permissions.ts';
import { ConfigurationSchedule } from './configuration-schedule.ts';

export interface ConfigurationRecoveryProps {
  readonly home: FunctionHome;
  readonly may: Permissions;
  readonly keyArn: string;
  readonly topic: sns.ITopic;
  /** Steps that every recovery has. */
  readonly incidentSteps: Readonly<
    Record<'TakeLease' | 'OpenIncident' | 'CloseIncident' | 'ReportRefusal', lambda.IFunction>
  >;
  /** Steps and builds that it has in common with the recovery of a cluster. */
  readonly cluster: ClusterRecovery['shared'];
  readonly cleanUp: lambda.IFunction;
}

/** Scenario 4 of the plan in one Region: the machine, what sees changes, and the daily comparison with Git. */
export class ConfigurationRecovery extends Construct {
  readonly machine: RecoveryMachine['machine'];

  constructor(scope: Construct, id: string, props: ConfigurationRecoveryProps) {
    super(scope, id);
    const { home, may, keyArn, topic, cluster } = props;
    const { configuration, network } = home;
    const mayAlso = configurationPermissionsOf(configuration, network.region);
    const { TriageChange, WatchConfiguration, ...steps } = configurationFunctions(this, home, may, mayAlso, keyArn);
    this.machine = new RecoveryMachine(this, configuration, {
      name: 'configuration-recovery',
      functions: { ...props.incidentSteps, ...cluster.steps, ...steps },
      projects: cluster.projects,
      values: { ...cluster.values, Workload: configuration.application.deployment.name },
      cleanUp: props.cleanUp,
      topic,
    }).machine;
    new ConfigurationDetection(this, 'Detection', configuration, TriageChange, topic);
    new ConfigurationSchedule(this, 'Schedule', configuration, { watch: WatchConfiguration, topic });
  }
}
