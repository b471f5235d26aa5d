import { type App, CfnOutput, Stack, type StackProps, Tags } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { namesOf } from '../../config/names.ts';
import type { Configuration } from '../../config/schema.ts';
import { BackupAlarms } from '../constructs/backup/backup-alarms.ts';
import { backupFunctions } from '../constructs/backup/backup-functions.ts';
import { BackupSchedules } from '../constructs/backup/backup-schedules.ts';
import { ClusterRecovery } from '../constructs/cluster/cluster-recovery.ts';
import { ConfigurationRecovery } from '../constructs/configuration/configuration-recovery.ts';
import { ClusterAccess } from '../constructs/database/cluster-access.ts';
import { DatabaseDetection } from '../constructs/database/database-detection.ts';
import { databaseFunctions } from '../constructs/database/database-functions.ts';
import { databaseJobPermissions } from '../constructs/database/database-jobs.ts';
import { DatabaseSchedules } from '../constructs/database/database-schedules.ts';
import { DatabaseSecrets } from '../constructs/database/database-secrets.ts';
import { ApprovalUrl } from '../constructs/incident/approval-url.ts';
import { ControlRecords } from '../constructs/incident/control-records.ts';
import { incidentFunctions } from '../constructs/incident/incident-functions.ts';
import { IncidentRecords } from '../constructs/incident/incident-records.ts';
import { JobProject } from '../constructs/job-project.ts';
import { permissionsOf } from '../constructs/permissions.ts';
import { ReadinessAlarms } from '../constructs/readiness/readiness-alarms.ts';
import { readinessFunctions } from '../constructs/readiness/readiness-functions.ts';
import { ReadinessSchedule } from '../constructs/readiness/readiness-schedule.ts';
import type { FunctionHome } from '../constructs/recovery-function.ts';
import { RecoveryMachine } from '../constructs/recovery-machine.ts';
import { GuardAlarms, RegionDetection } from '../constructs/region/region-detection.ts';
import { regionFunctions } from '../constructs/region/region-functions.ts';
import { regionMachines } from '../constructs/region/region-machines.ts';
import { RegionSchedules } from '../constructs/region/region-schedules.ts';
import { TrafficLatch } from '../constructs/region/traffic-latch.ts';
import { validationFunctions } from '../constructs/validation/validation-functions.ts';

export interface RegionStackProps extends StackProps {
  readonly configuration: Configuration;
  readonly role: 'primary' | 'dr';
  /** Directory of the one bundle of functions. */
  readonly bundleDirectory: string;
}

/** The stacks of both Regions, over the one bundle of functions. */
export function addStacks(app: App, configuration: Configuration, bundleDirectory: string): readonly RegionStack[] {
  return (['primary', 'dr'] as const).map((role) => {
    const { region } = configuration[role];
    return new RegionStack(app, namesOf(configuration).stack(region), {
      // CloudFormation takes 1 MB, and a quarter of it would be spaces.
      suppressTemplateIndentation: true,
      configuration,
      role,
      bundleDirectory,
      env: { account: configuration.account, region },
      description: `STOCKER Pro disaster recovery, ${configuration.environment}, ${role} Region`,
    });
  });
}

/** Everything of one environment in one Region. Both Regions hold every machine: what acts where follows from the active-database record. */
export class RegionStack extends Stack {
  constructor(scope: Construct, id: string, props: RegionStackProps) {
    super(scope, id, props);
    const { configuration, role } = props;
    const network = configuration[role];
    Tags.of(this).add('stocker-dr:environment', configuration.environment);

    const records = new IncidentRecords(this, 'Incidents', configuration, network.region);
    if (role === 'primary') new DatabaseSecrets(this, 'DatabaseSecrets', configuration);
    else new ControlRecords(this, 'Control', configuration);

    const may = permissionsOf(configuration, network.region);
    const home = { configuration, network, code: lambda.Code.fromAsset(props.bundleDirectory) } satisfies FunctionHome;
    const incident = incidentFunctions(this, home, may, records.key.keyArn);
    const { WriteHeartbeat, LookForDamage, PrepareDatabase, RegisterDatabase, ...databaseSteps } = databaseFunctions(
      this,
      home,
      may,
      records.key.keyArn,
    );
    const jobs = new JobProject(this, 'database', {
      configuration,
      network,
      bundleDirectory: props.bundleDirectory,
      statements: databaseJobPermissions(configuration, may),
    });
    const { TriageAlarm, CleanUpStopped, DecideApproval, ReportProgress, ...incidentSteps } = incident;
    const validationSteps = validationFunctions(this, home, may);
    const { machine } = new RecoveryMachine(this, configuration, {
      name: 'database-recovery',
      functions: { ...incidentSteps, ...databaseSteps, ...validationSteps },
      projects: { DatabaseJob: jobs },
      values: {
        ValidationConcurrency: String(configuration.validation.concurrency),
        ApprovalTimeoutSeconds: String(configuration.approval.timeoutSeconds),
      },
      cleanUp: CleanUpStopped,
      topic: records.internalTopic,
    });
    const { WatchBackups, ...backupSteps } = backupFunctions(this, home, may, records.key.keyArn);
    const backup = new RecoveryMachine(this, configuration, {
      name: 'backup',
      functions: backupSteps,
      topic: records.internalTopic,
    });
    new BackupSchedules(this, 'BackupSchedules', configuration, {
      machine: backup.machine,
      watch: WatchBackups,
      topic: records.internalTopic,
    });
    new BackupAlarms(this, 'BackupAlarms', configuration, records.internalTopic);
    const { WakeFunctions, ...readinessSteps } = readinessFunctions(this, home, may);
    const readiness = new RecoveryMachine(this, configuration, {
      name: 'readiness',
      functions: readinessSteps,
      topic: records.internalTopic,
    });
    new ReadinessSchedule(this, 'ReadinessSchedule', configuration, {
      machine: readiness.machine,
      wake: WakeFunctions,
      topic: records.internalTopic,
    });
    new ReadinessAlarms(this, 'ReadinessAlarms', configuration, records.internalTopic);
    const { ProbePrimary, PublishLatch, GuardDatabase, TriageRegion, ...regionSteps } = regionFunctions(
      this,
      home,
      may,
      records.key.keyArn,
    );
    const { CutOver, AwaitWorkload } = databaseSteps;
    const inCluster = {
      CutOver,
      AwaitWorkload,
      Compensate: incidentSteps.Compensate,
      CleanUpStopped,
      ExportCluster: backupSteps.ExportCluster,
      LookAtCluster: readinessSteps.LookAtCluster,
      ScaleStandby: regionSteps.ScaleStandby,
      AwaitStandby: regionSteps.AwaitStandby,
      EndDrill: regionSteps.EndDrill,
    };
    const { TakeLease, OpenIncident, CloseIncident, ReportRefusal } = incidentSteps;
    const cluster = new ClusterRecovery(this, 'ClusterRecovery', {
      home,
      may,
      keyArn: records.key.keyArn,
      bundleDirectory: props.bundleDirectory,
      topic: records.internalTopic,
      incidentSteps: { TakeLease, OpenIncident, CloseIncident, ReportRefusal },
      triage: TriageAlarm,
      cleanUp: CleanUpStopped,
      admitted: Object.values(inCluster),
    });
    const configurationRecovery = new ConfigurationRecovery(this, 'ConfigurationRecovery', {
      home,
      may,
      keyArn: records.key.keyArn,
      topic: records.internalTopic,
      incidentSteps: { TakeLease, OpenIncident, CloseIncident, ReportRefusal },
      cluster: cluster.shared,
      cleanUp: CleanUpStopped,
    });
    const { failover, failback } = regionMachines(this, {
      configuration,
      role,
      functions: { ...incidentSteps, ...databaseSteps, ...validationSteps, ...readinessSteps, ...regionSteps },
      clusterJob: cluster.shared.projects.ClusterJob,
      cleanUp: CleanUpStopped,
      topic: records.internalTopic,
    });
    new ClusterAccess(this, 'ClusterAccess', configuration.canary.deployment.cluster, {
      ...inCluster,
      ...cluster.inCluster,
    });
    new DatabaseDetection(this, 'Detection', configuration, TriageAlarm, records.internalTopic);
    new DatabaseSchedules(this, 'Schedules', configuration, {
      heartbeat: WriteHeartbeat,
      sentinel: LookForDamage,
      cleanUp: CleanUpStopped,
      progress: ReportProgress,
      topic: records.internalTopic,
      machine,
    });
    new GuardAlarms(this, 'GuardAlarms', configuration, records.internalTopic);
    new RegionSchedules(this, 'RegionSchedules', configuration, {
      guard: GuardDatabase,
      standby: role === 'dr' ? { probe: ProbePrimary, latch: PublishLatch, machine: failover } : undefined,
      topic: records.internalTopic,
    });
    if (role === 'dr') {
      new TrafficLatch(this, 'TrafficLatch', configuration, records.internalTopic);
      new RegionDetection(this, 'RegionDetection', configuration, TriageRegion, records.internalTopic);
      new ApprovalUrl(this, 'Approval', configuration, DecideApproval);
    }

    new CfnOutput(this, 'DatabaseRecovery', {
      value: machine.stateMachineArn,
      description: 'Start database-recovery here',
    });
    new CfnOutput(this, 'RegionFailover', {
      value: failover.stateMachineArn,
      description: 'Start region-failover in the DR Region',
    });
    new CfnOutput(this, 'RegionFailback', {
      value: failback.stateMachineArn,
      description: 'Start region-failback in the primary Region',
    });
    new CfnOutput(this, 'ClusterRecoveryMachine', {
      value: cluster.machine.stateMachineArn,
      description: 'Start cluster-recovery here',
    });
    new CfnOutput(this, 'ConfigurationRecoveryMachine', {
      value: configurationRecovery.machine.stateMachineArn,
      description: 'Start configuration-recovery here',
    });
    new CfnOutput(this, 'Backup', {
      value: backup.machine.stateMachineArn,
      description: 'Start a backup, or its proof, here',
    });
    new CfnOutput(this, 'Readiness', {
      value: readiness.machine.stateMachineArn,
      description: 'Look here whether a recovery would work',
    });
    new CfnOutput(this, 'Prepare', {
      value: PrepareDatabase.functionName,
      description: 'Invoke once per deployment: schema and roles',
    });
    new CfnOutput(this, 'Register', {
      value: RegisterDatabase.functionName,
      description: 'Invoke once: names the active database',
    });
    new CfnOutput(this, 'Evidence', {
      value: namesOf(configuration).evidenceBucket(network.region),
      description: 'Reports',
    });
  }
}
