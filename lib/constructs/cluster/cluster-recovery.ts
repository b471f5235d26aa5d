import { Fn } from 'aws-cdk-lib';
import * as eks from 'aws-cdk-lib/aws-eks';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { terraformArchive } from '../../../core/cluster/contracts.ts';
import { JobProject } from '../job-project.ts';
import type { Permissions } from '../permissions.ts';
import type { FunctionHome } from '../recovery-function.ts';
import { RecoveryMachine } from '../recovery-machine.ts';
import { ClusterDetection } from './cluster-detection.ts';
import { clusterFunctions } from './cluster-functions.ts';
import { clusterPermissionsOf } from './cluster-permissions.ts';
import { ClusterSchedules } from './cluster-schedules.ts';

/** A build that takes longer has hung: EKS makes a control plane in about 10 minutes, and nodes in 5. */
export const longestBuildMinutes = 45;
const administrator = 'arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy';

export interface ClusterRecoveryProps {
  readonly home: FunctionHome;
  readonly may: Permissions;
  readonly keyArn: string;
  readonly bundleDirectory: string;
  readonly topic: sns.ITopic;
  /** Steps that every recovery has. */
  readonly incidentSteps: Readonly<
    Record<'TakeLease' | 'OpenIncident' | 'CloseIncident' | 'ReportRefusal', lambda.IFunction>
  >;
  readonly triage: lambda.IFunction;
  readonly cleanUp: lambda.IFunction;
  /** Roles that look at the cluster or restart workloads: a new cluster lets them in again. */
  readonly admitted: readonly lambda.IFunction[];
}

/** Scenario 2 of the plan in one Region: the machine, its builds, what watches the cluster, and the quarterly drill. */
export class ClusterRecovery extends Construct {
  readonly machine: RecoveryMachine['machine'];
  /** Steps and builds that configuration-recovery has as well. */
  readonly shared: {
    readonly steps: Readonly<Record<'RequestApproval' | 'RestoreAccess' | 'ValidateApplication', lambda.IFunction>>;
    readonly projects: Readonly<Record<'ClusterJob' | 'ClusterDrillJob', JobProject>>;
    readonly values: Readonly<Record<'ApprovalTimeoutSeconds' | 'AccessRoles', string>>;
  };

  constructor(scope: Construct, id: string, props: ClusterRecoveryProps) {
    super(scope, id);
    const { home, may, keyArn, topic } = props;
    const { configuration, network } = home;
    const { cluster } = configuration;
    const mayAlso = clusterPermissionsOf(configuration, network.region);
    const { WatchCluster, ...steps } = clusterFunctions(this, home, may, mayAlso, keyArn);
    const parameter = (name: string) => ({ type: 'PARAMETER_STORE', value: name });
    const plain = (value: string) => ({ type: 'PLAINTEXT', value });
    const build = (
      area: string,
      statements: ReturnType<typeof mayAlso.job>,
      variables: Readonly<Record<string, ReturnType<typeof plain>>> = {},
      concurrentBuildLimit?: number,
    ) =>
      new JobProject(this, area, {
        configuration,
        network,
        bundleDirectory: props.bundleDirectory,
        buildspec: 'cluster-job',
        timeoutInMinutes: longestBuildMinutes,
        ...(concurrentBuildLimit && { concurrentBuildLimit }),
        variables: {
          REPOSITORY: parameter(cluster.repositoryParameter),
          COMMIT: parameter(configuration.backup.commitParameter),
          DRILL_PREFIX: plain(configuration.database.drillPrefix),
          TERRAFORM_ARCHIVE: plain(terraformArchive),
          ...variables,
        },
        statements: [may.timeline(), ...statements],
      });
    // Builds that compare with Git every day, and that close Terraform's debt, say so themselves.
    const job = build('cluster', [...mayAlso.job(), may.putMetrics(), may.readControl(), may.recordDebt()]);
    const { drillAccount } = cluster;
    const elsewhere = drillAccount && {
      DRILL_ROLE: plain(drillAccount.roleArn),
      DRILL_ACCOUNT: plain(drillAccount.id),
    };
    // One at a time: a build that destroys may break the lock of whichever went before it.
    const drillJob = build('cluster-drill', mayAlso.drillJob(), elsewhere, 1);
    const inCluster = [
      steps.AssessCluster,
      steps.AwaitCluster,
      steps.HelpNodes,
      steps.ValidateApplication,
      WatchCluster,
    ];
    this.letIn(cluster[network === configuration.dr ? 'dr' : 'primary'].cluster, job.role);
    const admitted = [...props.admitted, ...inCluster].map(({ role }) => role?.roleArn ?? '');
    const projects = { ClusterJob: job, ClusterDrillJob: drillJob };
    const values = {
      ApprovalTimeoutSeconds: String(configuration.approval.timeoutSeconds),
      // In a string of the definition: JSONata's own quotes.
      AccessRoles: `['${Fn.join("','", admitted)}']`,
    };
    const { RequestApproval, RestoreAccess, ValidateApplication } = steps;
    this.shared = { steps: { RequestApproval, RestoreAccess, ValidateApplication }, projects, values };
    this.machine = new RecoveryMachine(this, configuration, {
      name: 'cluster-recovery',
      functions: { ...props.incidentSteps, ...steps },
      projects,
      values,
      cleanUp: props.cleanUp,
      topic,
    }).machine;
    new ClusterDetection(this, 'Detection', configuration, props.triage, topic);
    new ClusterSchedules(this, 'Schedules', configuration, { watch: WatchCluster, machine: this.machine, topic });
    this.inCluster = Object.fromEntries(
      Object.entries({ ...steps, WatchCluster }).filter(([, each]) => inCluster.includes(each)),
    );
  }

  /** Functions that need an access entry of the cluster that Terraform has made. */
  readonly inCluster: Readonly<Record<string, lambda.Function>>;

  /** The build applies manifests to a cluster that it has not made; one that it makes, it administers anyway. */
  private letIn(clusterName: string, role: iam.IRole): void {
    new eks.CfnAccessEntry(this, 'Build', {
      clusterName,
      principalArn: role.roleArn,
      type: 'STANDARD',
      accessPolicies: [{ policyArn: administrator, accessScope: { type: 'cluster' } }],
    });
  }
}
