/** What the functions and builds of the configuration area may do: put back what is recorded, and delete nothing but a drill’s own. */
import type { Configuration } from '../../../config/schema.ts';
import { drillRecordOf } from '../../../core/configuration/compare-zone.ts';
import { drillSecretOf } from '../../../core/configuration/drill.ts';
import { clusterJob } from '../../../core/configuration/watch-configuration.ts';
import { secretNames } from '../../../core/settings.ts';
import { type Permission, statementsOf } from '../statements.ts';

export function configurationPermissionsOf(configuration: Configuration, region: string) {
  const { names, network, other, arn, allow } = statementsOf(configuration, region);
  const { traffic, environment } = configuration;
  const zoneIds = 'The id of the zone is Terraform’s; names and actions are the bound.';
  const evidence = (at: string) => `arn:aws:s3:::${names.evidenceBucket(at)}`;
  const drillSecret = drillSecretOf(configuration);
  const secretArn = (name: string) => arn('secretsmanager', `secret:${name}-??????`);
  const keys = 'Keys are Terraform’s, and known by what uses them; the code takes those of production alone.';
  const changeRecords = (sid: string, recordNames: readonly string[], actions: readonly string[]) =>
    allow(sid, ['route53:ChangeResourceRecordSets'], ['arn:aws:route53:::hostedzone/*'], {
      conditions: {
        'ForAllValues:StringLike': {
          'route53:ChangeResourceRecordSetsNormalizedRecordNames': [...recordNames],
          'route53:ChangeResourceRecordSetsActions': [...actions],
        },
      },
      wildcard: zoneIds,
    });
  const findZone = () =>
    allow('FindZone', ['route53:ListHostedZonesByName'], ['*'], {
      wildcard: 'ListHostedZonesByName has no resource type.',
    });
  const removeSecret = () =>
    allow(
      'DrillSecret',
      ['secretsmanager:DescribeSecret', 'secretsmanager:DeleteSecret'],
      [secretArn(drillSecret), arn('secretsmanager', `secret:${drillSecret}`)],
    );

  return {
    /** Every set of a zone, and nothing else of Route 53. */
    readZone: (): Permission[] => [
      findZone(),
      allow('ReadZone', ['route53:ListResourceRecordSets'], ['arn:aws:route53:::hostedzone/*'], { wildcard: zoneIds }),
    ],
    readRecordings: (): Permission[] => [
      allow('FindRecordings', ['s3:ListBucket'], [evidence(region)], {
        conditions: { StringLike: { 's3:prefix': 'backups/zone/*' } },
      }),
      allow('ReadRecordings', ['s3:GetObject'], [`${evidence(region)}/backups/zone/*`], {
        wildcard: 'Recordings are named by zone and time.',
      }),
    ],
    keepRecordings: () =>
      allow(
        'KeepRecordings',
        ['s3:PutObject'],
        [region, other.region].map((each) => `${evidence(each)}/backups/zone/*`),
        { wildcard: 'Recordings are named by zone and time.' },
      ),
    seeSecrets: () =>
      allow(
        'SeeSecrets',
        ['secretsmanager:DescribeSecret'],
        // Without its suffix as well: of a secret that is not there, one who may not know that is told he is denied.
        [...secretNames(configuration), drillSecret].flatMap((name) => [
          secretArn(name),
          arn('secretsmanager', `secret:${name}`),
        ]),
      ),
    seeKeys: () =>
      allow('SeeKeys', ['kms:DescribeKey'], [arn('kms', 'key/*')], {
        wildcard: 'DescribeKey tells what a key is, and uses it for nothing.',
      }),
    findDatabaseKeys: () =>
      allow('FindDatabaseKeys', ['rds:DescribeDBInstances'], [arn('rds', 'db:*')], {
        wildcard: 'Reading only. The identifiers of restored instances are made at run time.',
      }),
    seeBuckets: () =>
      allow(
        'SeeBuckets',
        ['s3:GetBucketVersioning'],
        [names.evidenceBucket(region), network.dumpBucket, network.terraformStateBucket].map(
          (name) => `arn:aws:s3:::${name}`,
        ),
      ),
    /** Makes and changes, never deletes; in the zone, whatever the name. */
    restoreRecords: (): Permission[] => [
      findZone(),
      changeRecords('RestoreRecords', [traffic.hostedZoneName, `*.${traffic.hostedZoneName}`], ['CREATE', 'UPSERT']),
    ],
    restoreSecrets: (): Permission[] => [
      allow(
        'RestoreSecrets',
        ['secretsmanager:RestoreSecret'],
        [...secretNames(configuration), drillSecret].map(secretArn),
      ),
      allow('ReplicateSecrets', ['secretsmanager:ReplicateSecretToRegions'], secretNames(configuration).map(secretArn)),
    ],
    restoreKeys: () =>
      allow('RestoreKeys', ['kms:CancelKeyDeletion', 'kms:EnableKey'], [arn('kms', 'key/*')], { wildcard: keys }),
    makeDrill: (): Permission[] => [
      changeRecords('DrillRecord', [drillRecordOf(traffic)], ['UPSERT', 'DELETE']),
      removeSecret(),
      allow(
        'MakeDrillSecret',
        ['secretsmanager:CreateSecret', 'secretsmanager:RestoreSecret'],
        [secretArn(drillSecret), arn('secretsmanager', `secret:${drillSecret}`)],
      ),
    ],
    removeDrill: (): Permission[] => [
      findZone(),
      allow('ReadZone', ['route53:ListResourceRecordSets'], ['arn:aws:route53:::hostedzone/*'], { wildcard: zoneIds }),
      changeRecords('RemoveDrillRecord', [drillRecordOf(traffic)], ['DELETE']),
      removeSecret(),
    ],
    startCheck: () =>
      allow('StartCheck', ['codebuild:StartBuild'], [arn('codebuild', `project/${clusterJob(environment)}`)]),
  };
}
export type ConfigurationPermissions = ReturnType<typeof configurationPermissionsOf>;
