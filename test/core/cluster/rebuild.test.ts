/** What a rebuild would change: what its builds report, and how that is judged. */
import { describe, expect, it } from 'vitest';
import type { PlanReport } from '../../../core/cluster/contracts.ts';
import { judgeRebuild } from '../../../core/cluster/judge-rebuild.ts';
import type { BuildResults } from '../../../core/cluster/ports.ts';
import { reportBuild } from '../../../core/cluster/report-build.ts';
import { openedAt, settings } from '../fakes.ts';
import { drill, image, plan, recovery } from './facts.ts';

describe('judging the rebuild', () => {
  const report = (change: Partial<PlanReport> = {}): PlanReport => ({
    source: 'read',
    overlay: 'usable',
    changes: [{ address: 'aws_eks_cluster.this', type: 'aws_eks_cluster', actions: ['create'], name: 'stocker' }],
    digest: 'd',
    images: [image],
    ...change,
  });
  const newest = { location: 's3://evidence/backups/cluster-state/x/stocker.json', at: openedAt };
  const judge = (found: PlanReport, incident = recovery, standing = false, exported: typeof newest | null = newest) =>
    judgeRebuild(
      { incident, plan: plan({ standing }), report: found },
      { settings, exports: { newest: async () => exported ?? undefined } },
    );
  const destroysDatabase = report({
    changes: [
      { address: 'aws_db_instance.this', type: 'aws_db_instance', actions: ['delete'], name: 'stocker-pro-staging' },
    ],
  });

  it('shows what Terraform changes and what is applied', async () => {
    const { output } = await judge(report());
    expect(output).toMatchObject({ approved: 'd', manifests: 'git', images: [image] });
    expect(output.question.join('\n')).toMatch(
      /1 changes, none of which destroys[\s\S]*create aws_eks_cluster.this \(stocker\)/,
    );
  });
  it('refuses a plan that would destroy the database', async () => {
    await expect(judge(destroysDatabase)).rejects.toMatchObject({ name: 'PlanRefused' });
  });
  it('lets a named person answer for it, and says so in the question', async () => {
    const waiver = { checks: ['protected-resources'], by: 'alice', reason: 'it is empty' };
    const { output } = await judge(destroysDatabase, { ...recovery, waiver });
    expect(output.question.join('\n')).toMatch(/DESTROY[\s\S]*WAIVED by alice/);
    await expect(
      judge(destroysDatabase, { ...recovery, waiver: { ...waiver, checks: ['row-floors'] } }),
    ).rejects.toMatchObject({ name: 'PlanRefused' });
  });
  it('refuses a drill that would touch production, waived or not', async () => {
    const waiver = { checks: ['protected-resources'], by: 'alice', reason: 'x' };
    await expect(judge(report(), { ...drill, waiver })).rejects.toMatchObject({ name: 'PlanRefused' });
  });
  it('falls back to the newest export where the overlay is unusable', async () => {
    expect((await judge(report({ overlay: 'unusable' }))).output).toMatchObject({
      approved: 'd',
      manifests: newest.location,
    });
    await expect(judge(report({ overlay: 'unusable' }), recovery, false, null)).rejects.toMatchObject({
      name: 'OverlayUnusable',
    });
  });
  it('without Git gives what stands its manifests back, and rebuilds nothing that does not', async () => {
    const unreachable = report({ source: 'unreachable', changes: [] });
    expect((await judge(unreachable, recovery, true)).output).toMatchObject({
      approved: 'none',
      manifests: newest.location,
    });
    await expect(judge(unreachable)).rejects.toMatchObject({ name: 'SourceUnreachable' });
    await expect(judge(unreachable, recovery, true, null)).rejects.toMatchObject({ name: 'SourceUnreachable' });
  });
});

describe('what a build reports', () => {
  const results = (change: Partial<BuildResults> = {}): BuildResults => ({
    failed: () => undefined,
    problems: () => ['Error: no'],
    plan: () => ({ resource_changes: [] }),
    differences: () => undefined,
    rendered: () =>
      '    containers:\n      - image: a/b:1\n        name: api\n      - name: other\n        image: "c:2"\n',
    build: () => ({ arn: 'arn:build', log: 'the log' }),
    ...change,
  });
  it('is what Terraform would do, and the images of the overlay', () => {
    expect(reportBuild({ action: 'plan' }, results()).output).toMatchObject({
      source: 'read',
      overlay: 'usable',
      changes: [],
      images: ['a/b:1', 'c:2'],
    });
  });
  it('is a finding where Git or the overlay is unusable', () => {
    const unreachable = results({ failed: () => 'SourceUnreachable', plan: () => undefined });
    expect(reportBuild({ action: 'plan' }, unreachable).output).toMatchObject({ source: 'unreachable', changes: [] });
    expect(reportBuild({ action: 'plan' }, results({ failed: () => 'OverlayUnusable' })).output).toMatchObject({
      source: 'read',
      overlay: 'unusable',
    });
  });
  it.each([
    ['plan', 'TerraformFailed', 'TerraformFailed'],
    ['rebuild', 'TerraformFailed', 'TerraformFailed'],
    ['rebuild', 'PlanChanged', 'PlanChanged'],
    ['rebuild', 'ManifestsRefused', 'ManifestsRefused'],
    ['rebuild', 'SourceUnreachable', 'TerraformFailed'],
    ['destroy', 'PlanRefused', 'LeftBehind'],
  ] as const)('of %s that failed with %s is the error %s, with its log', (action, failed, name) => {
    const report = () => reportBuild({ action }, results({ failed: () => failed }));
    expect(report).toThrow(expect.objectContaining({ name, message: expect.stringContaining('the log') }));
  });
  it('of Terraform that follows a failover says that it has followed', () => {
    expect(reportBuild({ action: 'follow' }, results()).summary).toContain('has followed');
  });
  it.each(['PlanRefused', 'TerraformFailed', 'SourceUnreachable'])(
    'of Terraform that follows and ends in %s fails nothing, and is a fact for the report',
    (failed) => {
      const { summary, facts } = reportBuild({ action: 'follow' }, results({ failed: () => failed }));
      expect(summary).toContain('is left as it is');
      expect(facts?.terraformRefused).toContain(failed);
    },
  );
});
