/** Reads what Terraform would do (`terraform show -json`), and judges it. Of the plan's values only names are kept. */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Change } from './contracts.ts';

const ResourceChange = z.object({
  address: z.string(),
  type: z.string(),
  change: z.object({
    actions: z.array(z.string()),
    before: z.record(z.string(), z.unknown()).nullish(),
    after: z.record(z.string(), z.unknown()).nullish(),
  }),
});
const PlanJson = z.object({ resource_changes: z.array(ResourceChange).default([]) });

/** Arguments that name a resource, by which a drill's are told from production's. */
const naming = ['name', 'identifier', 'cluster_name', 'bucket', 'id'];

/** Everything that would change, in Terraform's order. */
export function changesIn(plan: unknown): Change[] {
  return PlanJson.parse(plan).resource_changes.flatMap(({ address, type, change: { actions, before, after } }) => {
    if (actions.every((action) => action === 'no-op' || action === 'read')) return [];
    const values = after ?? before ?? {};
    const name = naming.map((each) => values[each]).find((each) => typeof each === 'string');
    return [{ address, type, actions, ...(typeof name === 'string' ? { name } : {}) }];
  });
}

/** The same changes have the same digest; whoever approves them approves nothing else. */
export function digestOf(changes: readonly Change[]): string {
  const lines = changes.map(({ address, actions, name = '' }) => `${address} ${actions.join('+')} ${name}`).sort();
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}

/** What holds data or what everything is reached by: nothing here may be destroyed by a rebuild. */
const protectedTypes = [
  'aws_db_instance',
  'aws_db_cluster',
  'aws_rds_cluster',
  'aws_dynamodb_table',
  'aws_ebs_volume',
  'aws_ecr_repository',
  'aws_efs_file_system',
  'aws_kms_key',
  'aws_route53_record',
  'aws_route53_zone',
  'aws_s3_bucket',
  'aws_secretsmanager_secret',
];
/** Terraform would make these empty: what was in them comes from a backup, never from a plan. */
const holdingData = ['aws_db_instance', 'aws_rds_cluster', 'aws_dynamodb_table'];

const inWords = ({ address, actions, name }: Change) =>
  `${actions.length > 1 ? 'replace' : actions[0]} ${address}${name ? ` (${name})` : ''}`;
export const describeChanges = (changes: readonly Change[]): string[] => changes.map(inWords);

export const destroys = ({ actions }: Pick<Change, 'actions'>): boolean => actions.includes('delete');

/** Why a rebuild of production must not make these changes. */
export function objections(changes: readonly Change[]): string[] {
  return changes.flatMap((change) => {
    if (destroys(change) && protectedTypes.includes(change.type))
      return [`it would ${inWords(change)}, which holds data`];
    if (change.actions.includes('create') && holdingData.includes(change.type))
      return [`it would ${inWords(change)} empty: a lost database is recovered by database-recovery`];
    return [];
  });
}

/**
 * What the plan of a drill would make and may be there already, for a build was killed before its state knew: address and
 * id for `terraform import`, as the provider's documentation of each resource gives it.
 */
export function importsOf(plan: unknown, prefix: string): { readonly address: string; readonly id: string }[] {
  return PlanJson.parse(plan).resource_changes.flatMap(({ address, type, change: { actions, after } }) => {
    const parts = identities[type]?.map((name) => after?.[name]) ?? [];
    if (!actions.includes('create') || !String(parts[0]).startsWith(prefix)) return [];
    return parts.every((part) => typeof part === 'string') ? [{ address, id: parts.join(':') }] : [];
  });
}
/** What takes minutes to be made, so that a build is likely to die over it. */
const identities: Readonly<Record<string, readonly string[]>> = {
  aws_eks_cluster: ['name'],
  aws_eks_node_group: ['cluster_name', 'node_group_name'],
};

/** Why a drill must not make these changes: it makes and destroys what bears its prefix, and touches nothing else. */
export function drillObjections(changes: readonly Change[], prefix: string, action: 'create' | 'delete'): string[] {
  return changes.flatMap((change) => {
    if (change.name === undefined || !change.name.startsWith(prefix))
      return [`it would ${inWords(change)}, which is not the drill’s: its name does not begin with ${prefix}`];
    // A node group of an earlier drill may be resized; nothing is replaced.
    const allowed = action === 'create' ? ['create', 'update'] : ['delete'];
    return change.actions.every((each) => allowed.includes(each)) ? [] : [`it would ${inWords(change)}`];
  });
}
