/** What a failover of the Region takes: in this Region to promote and to scale, in the DR Region's records, and to look at the other one. */
import type { Configuration } from '../../../config/schema.ts';
import type { LatchName } from '../../../core/region/contracts.ts';
import { type Permission, statementsOf } from '../statements.ts';

export function regionPermissionsOf(configuration: Configuration, region: string) {
  const { names, network, other, arn, allow, leadingKey, prefixed } = statementsOf(configuration, region);
  const { database, application, traffic, region: settings } = configuration;
  const controlTable = arn('dynamodb', `table/${names.controlTable}`, configuration.dr.region);
  const drill = arn('rds', `db:${database.drillPrefix}*`);
  const successor = arn('rds', `db:${database.identifier}-*`);
  const tagged = {
    conditions: { StringEquals: { 'aws:RequestTag/stocker-dr:environment': configuration.environment } },
    wildcard: prefixed,
  };
  /** A replica is made with its source's parameters, or in another Region with the engine's. */
  const groups = (at: typeof network, parameterGroup: string = at.databaseParameterGroup) => [
    arn('rds', 'og:default:*', at.region),
    arn('rds', `pg:${parameterGroup}`, at.region),
    arn('rds', `subgrp:${at.databaseSubnetGroup}`, at.region),
  ];
  return {
    readGuards: () => allow('ReadGuards', ['dynamodb:Query'], [controlTable], leadingKey('guard')),
    recordGuard: () => allow('RecordGuard', ['dynamodb:PutItem'], [controlTable], leadingKey('guard')),
    /** With strict fencing the guard of the primary Region renews it, and a failover ends it. */
    renewTenure: () => allow('RenewTenure', ['dynamodb:PutItem'], [controlTable], leadingKey('tenure')),
    endTenure: () => allow('EndTenure', ['dynamodb:UpdateItem'], [controlTable], leadingKey('tenure')),
    setLatch: (...latches: LatchName[]) =>
      allow('SetLatch', ['dynamodb:PutItem'], [controlTable], leadingKey(...latches.map((name) => `latch#${name}`))),
    recordLook: () =>
      allow(
        'RecordLook',
        ['dynamodb:PutItem', 'dynamodb:Query'],
        [arn('dynamodb', `table/${names.incidentTable}`)],
        leadingKey('primary-look'),
      ),
    makeDrillReplica: () => [
      allow('MakeDrillReplica', ['rds:CreateDBInstanceReadReplica'], [drill, successor, ...groups(network)], {
        wildcard: 'To the drill prefix only; the source is the replica, under whichever identifier it runs.',
      }),
      allow('TagDrillReplica', ['rds:AddTagsToResource'], [drill], tagged),
    ],
    promoteReplica: () => [
      allow('PromoteReplica', ['rds:PromoteReadReplica'], [drill, successor], { wildcard: prefixed }),
      allow('TagPromoted', ['rds:AddTagsToResource'], [successor], tagged),
    ],
    /** A replica of production in another Region: of the database beside it, under an identifier of its own. */
    makeReplica: (at: string): Permission[] => {
      const [to, from] = at === region ? [network, other] : [other, network];
      return [
        allow(
          'MakeReplica',
          ['rds:CreateDBInstanceReadReplica'],
          [
            arn('rds', `db:${database.identifier}-*`, to.region),
            arn('rds', `db:${database.identifier}*`, from.region),
            ...groups(to, 'default.*'),
          ],
          { wildcard: 'Of production, under whichever identifier it runs, to an identifier beside it.' },
        ),
        allow('TagReplica', ['rds:AddTagsToResource'], [arn('rds', `db:${database.identifier}-*`, to.region)], tagged),
      ];
    },
    /** Parameters and backups of a replica that we made, and of nothing that is not tagged as this environment's. */
    equipReplica: (at: string): Permission[] => [
      allow(
        'EquipReplica',
        ['rds:ModifyDBInstance', 'rds:RebootDBInstance'],
        [arn('rds', `db:${database.identifier}-????????`, at)],
        {
          conditions: { StringEquals: { 'aws:ResourceTag/stocker-dr:environment': configuration.environment } },
          wildcard: prefixed,
        },
      ),
      allow(
        'GiveParameters',
        ['rds:ModifyDBInstance'],
        [arn('rds', `pg:${(at === region ? network : other).databaseParameterGroup}`, at)],
      ),
    ],
    seeNodegroup: () =>
      allow('SeeNodegroup', ['eks:DescribeNodegroup'], nodegroups(), {
        wildcard: 'EKS ends the ARN of a node group in an id of its own.',
      }),
    scaleNodegroup: () =>
      allow('ScaleNodegroup', ['eks:UpdateNodegroupConfig'], nodegroups(), {
        wildcard: 'EKS ends the ARN of a node group in an id of its own.',
      }),
    /** None where traffic follows the latch: a failover then calls Route 53 for nothing. */
    changeRecords: (): Permission[] =>
      traffic.strategy === 'health-check'
        ? []
        : [
            allow('FindZone', ['route53:ListHostedZonesByName'], ['*'], {
              wildcard: 'ListHostedZonesByName has no resource type.',
            }),
            allow('ReadRecords', ['route53:ListResourceRecordSets'], ['arn:aws:route53:::hostedzone/*'], {
              wildcard: 'The id of the zone is Terraform’s; its name is configured.',
            }),
            allow('ChangeRecords', ['route53:ChangeResourceRecordSets'], ['arn:aws:route53:::hostedzone/*'], {
              conditions: {
                'ForAllValues:StringEquals': {
                  'route53:ChangeResourceRecordSetsNormalizedRecordNames': [
                    traffic.recordName,
                    traffic.drillRecordName,
                  ],
                  'route53:ChangeResourceRecordSetsActions': ['UPSERT'],
                },
              },
              wildcard: 'The id of the zone is Terraform’s; names and actions are the bound.',
            }),
          ],
    seeChanges: (): Permission[] =>
      traffic.strategy === 'health-check'
        ? []
        : [
            allow('SeeChanges', ['route53:GetChange'], ['arn:aws:route53:::change/*'], {
              wildcard: 'Route 53 names changes by ids of its own.',
            }),
          ],
  };

  function nodegroups() {
    const { cluster } = application.deployment;
    return [arn('eks', `nodegroup/${cluster}/${settings.standby.nodegroup}/*`)];
  }
}
export type RegionPermissions = ReturnType<typeof regionPermissionsOf>;
