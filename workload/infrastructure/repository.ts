/** STOCKER Pro's Git repository: Terraform and the manifests, and beside them what the Terraform stand-in compares. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InstallationPlan, RegionPlan } from './provision.ts';

const workload = join(import.meta.dirname, '..');

export interface Repository {
  readonly directory: string;
  /** As `git clone` takes it. */
  readonly url: string;
  readonly commit: string;
}

/** The resources that a file of Terraform variables stands for, as the stand-in has them: it parses no HCL. */
export interface DesiredState {
  readonly 'STAND-IN': string;
  readonly resources: readonly { address: string; type: string; values: Readonly<Record<string, unknown>> }[];
}

interface Kind {
  readonly cluster: string;
  readonly region: RegionPlan;
  readonly nodes: { readonly min: number; readonly max: number; readonly desired: number };
  readonly database: boolean;
}

/** What main.tf makes of these variables. */
export function desiredState(
  { cluster: base, account, database }: Pick<InstallationPlan, 'cluster' | 'account' | 'database'>,
  { cluster, region, nodes, database: hasDatabase }: Kind,
): DesiredState {
  const role = (name: string) => `arn:aws:iam::${account}:role/${base}-${name}`;
  const subnet_ids = [...region.subnetIds];
  return {
    'STAND-IN': 'What main.tf makes of these variables, for the stand-in, which parses no HCL.',
    resources: [
      {
        address: 'aws_eks_cluster.this',
        type: 'aws_eks_cluster',
        values: { name: cluster, role_arn: role('cluster'), subnet_ids },
      },
      {
        address: 'aws_eks_node_group.general',
        type: 'aws_eks_node_group',
        values: {
          cluster_name: cluster,
          node_group_name: 'general',
          node_role_arn: role('node'),
          subnet_ids,
          min_size: nodes.min,
          max_size: nodes.max,
          desired_size: nodes.desired,
        },
      },
      ...(hasDatabase
        ? [
            {
              address: 'aws_db_instance.this[0]',
              type: 'aws_db_instance',
              values: {
                identifier: database.identifier,
                deletion_protection: true,
                backup_retention_period: database.backupRetentionDays,
              },
            },
          ]
        : []),
    ],
  };
}

/** Of every environment's file of variables there is: production, its DR Region, its drill. */
export function desiredStates(
  plan: Pick<InstallationPlan, 'cluster' | 'account' | 'drillAccount' | 'database' | 'primary' | 'dr' | 'standbyNodes'>,
  environment: string,
): Readonly<Record<string, DesiredState>> {
  const { cluster, primary, dr } = plan;
  const nodes = { min: 2, max: 4, desired: 2 };
  const pilotLight = { min: 1, max: 4, desired: plan.standbyNodes };
  return {
    [environment]: desiredState(plan, { cluster, region: primary, nodes, database: true }),
    [`${environment}-dr`]: desiredState(plan, { cluster, region: dr, nodes: pilotLight, database: false }),
    [`${environment}-drill`]: desiredState(
      { ...plan, account: plan.drillAccount ?? plan.account },
      { cluster: `dr-drill-${cluster}`, region: primary, nodes: { min: 1, max: 2, desired: 1 }, database: false },
    ),
  };
}

const git = (directory: string, ...argv: string[]) =>
  execFileSync('git', ['-C', directory, ...argv], {
    encoding: 'utf8',
    env: {
      PATH: process.env.PATH,
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_SYSTEM: '/dev/null',
      GIT_AUTHOR_NAME: 'pipeline',
      GIT_AUTHOR_EMAIL: 'pipeline@stocker-pro.example.com',
      GIT_COMMITTER_NAME: 'pipeline',
      GIT_COMMITTER_EMAIL: 'pipeline@stocker-pro.example.com',
    },
  }).trim();

/** Makes the repository in that directory, with one commit. */
export function makeRepository(directory: string, states: Readonly<Record<string, DesiredState>>): Repository {
  mkdirSync(directory, { recursive: true });
  git(directory, 'init', '--quiet', '--initial-branch', 'main');
  cpSync(join(workload, 'terraform'), join(directory, 'terraform'), { recursive: true });
  for (const folder of ['base', 'overlays'])
    cpSync(join(workload, 'kubernetes', folder), join(directory, 'kubernetes', folder), { recursive: true });
  for (const [name, state] of Object.entries(states))
    writeFileSync(join(directory, 'terraform', `${name}.desired.json`), JSON.stringify(state, undefined, 2));
  return commit({ directory, url: `file://${directory}`, commit: '' }, 'STOCKER Pro as it is deployed');
}

/** Commits whatever was changed in the directory; the same repository at its new commit. */
export function commit({ directory, url }: Repository, message: string): Repository {
  git(directory, 'add', '--all');
  git(directory, 'commit', '--quiet', '--message', message);
  return { directory, url, commit: git(directory, 'rev-parse', 'HEAD') };
}
