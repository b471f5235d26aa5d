/** The buildspec of the cluster's job in a real shell, with tools that note how they are called and fail where they are told to. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseBuildspec } from '../../../local/services/codebuild/buildspec.ts';

const file = join(import.meta.dirname, '../../../lib/buildspecs/cluster-job.yml');
const { commands } = parseBuildspec(readFileSync(file, 'utf8')).phases.build ?? expect.unreachable('it builds nothing');

const directory = mkdtempSync(join(tmpdir(), 'cluster-job-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const tools = join(directory, 'tools');
mkdirSync(tools);
writeFileSync(
  join(tools, 'tool'),
  `#!/bin/bash
call="$(basename "$0") $*"
echo "$call" >> "$CALLS"
case "$call" in
  "git clone"*) mkdir -p "source/$OVERLAY" ;;
  "terraform show"* | "node run-job.mjs"*) echo '{}' > "$BASE/outcome.json"; echo '{}' ;;
  "terraform plan"*) touch recovery.tfplan ;;
esac
if [ -n "$FAILS" ] && [[ "$call" == *"$FAILS"* ]]; then
  case "$call" in *check-plan*) echo "$REFUSAL" > refused ;; esac
  echo "Error: simulated"
  exit 1
fi
`,
);
chmodSync(join(tools, 'tool'), 0o755);
for (const name of ['git', 'terraform', 'kubectl', 'aws', 'node']) symlinkSync('tool', join(tools, name));

let runs = 0;
/** Runs the commands in one shell, as CodeBuild does; `fails`: part of the call that fails. */
function build(variables: Readonly<Record<string, string>>, fails = '', refusal = 'PlanChanged') {
  const base = join(directory, String(++runs));
  mkdirSync(base);
  const calls = join(base, 'calls');
  const { status } = spawnSync('bash', ['-c', commands.join('\n')], {
    cwd: base,
    env: {
      ...{ PATH: `${tools}:${process.env.PATH}`, CALLS: calls, BASE: base, FAILS: fails, REFUSAL: refusal },
      ...{ REPOSITORY: 'git.example.com/stocker', COMMIT: 'abc', OVERLAY: 'kubernetes/overlays/production' },
      ...{
        STATE_BUCKET: 'b',
        STATE_KEY: 'k',
        LOCK_TABLE: 'l',
        VARIABLES: 'production.tfvars',
        AWS_REGION: 'us-east-1',
      },
      ...{ CLUSTER: 'stocker', NAMESPACE: 'stocker', APPROVED: 'planned', MANIFESTS: 'git' },
      ...variables,
    },
  });
  const failed = join(base, 'failed');
  return {
    status,
    calls: readFileSync(calls, 'utf8').trim().split('\n'),
    failed: existsSync(failed) ? readFileSync(failed, 'utf8').trim() : undefined,
    isPlanKept: existsSync(join(base, 'source/terraform/recovery.tfplan')),
  };
}
const rebuild = { ACTION: 'rebuild', APPROVED: 'digest' };
const briefly = (calls: readonly string[]) => calls.map((call) => call.split(' ').slice(0, 2).join(' '));

describe('a build', () => {
  it('that plans changes nothing', () => {
    const { calls, failed, isPlanKept } = build({ ACTION: 'plan' });
    expect(briefly(calls)).toEqual([
      ...['git clone', 'git -C', 'terraform init', 'terraform plan', 'terraform show'],
      ...['kubectl kustomize', 'node run-job.mjs'],
    ]);
    expect({ failed, isPlanKept }).toEqual({ failed: undefined, isPlanKept: false });
  });
  it('that rebuilds checks what it planned before it applies that, then the manifests', () => {
    const { calls, failed, isPlanKept } = build(rebuild);
    expect(briefly(calls).slice(4)).toEqual([
      ...['terraform show', 'node check-plan.mjs', 'terraform apply'],
      ...['aws eks', 'kubectl apply', 'node run-job.mjs'],
    ]);
    expect(calls).toContain('kubectl apply -k .');
    expect({ failed, isPlanKept }).toEqual({ failed: undefined, isPlanKept: false });
  });
  it('that destroys plans a destruction, checks it, and deploys nothing', () => {
    const { calls } = build({ ACTION: 'destroy' });
    expect(calls.find((call) => call.startsWith('terraform plan'))).toMatch(/-destroy$/);
    expect(briefly(calls)).toEqual(expect.arrayContaining(['node check-plan.mjs', 'terraform apply']));
    expect(calls.join('\n')).not.toMatch(/kubectl/);
  });
  it('without Git gives what stands the manifests of the export, and runs no Terraform', () => {
    const { calls, failed } = build({ ...rebuild, APPROVED: 'none', MANIFESTS: 's3://evidence/newest.json' });
    expect(calls.join('\n')).not.toMatch(/^(git|terraform)/m);
    expect(calls).toEqual(
      expect.arrayContaining([expect.stringContaining('s3://evidence/newest.json'), 'kubectl apply -f manifests.json']),
    );
    expect(failed).toBeUndefined();
  });
});

describe('what fails', () => {
  it.each([
    ['a clone', { ACTION: 'plan' }, 'git clone', 'SourceUnreachable', 'terraform'],
    ['a commit that is not there', { ACTION: 'plan' }, 'checkout', 'SourceUnreachable', 'terraform'],
    ['a state that is locked', rebuild, 'terraform plan', 'TerraformFailed', 'check-plan'],
    ['a plan that is another one now', rebuild, 'check-plan', 'PlanChanged', 'terraform apply'],
    ['an apply', rebuild, 'terraform apply', 'TerraformFailed', 'kubectl'],
    ['an overlay that cannot be built', { ACTION: 'plan' }, 'kubectl kustomize', 'OverlayUnusable', 'terraform apply'],
    ['a manifest that is refused', rebuild, 'kubectl apply', 'ManifestsRefused', 'kubectl create'],
  ])('%s is told by name, and nothing is done after it', (_, variables, fails, name, after) => {
    const { calls, failed, status, isPlanKept } = build(variables, fails);
    expect(failed).toBe(name);
    expect(calls.join('\n')).not.toContain(after);
    // The last command reports, and the build itself succeeds.
    expect(calls.at(-1)).toMatch(/^node run-job/);
    expect({ status, isPlanKept }).toEqual({ status: 0, isPlanKept: false });
  });
  it('a plan that reaches beyond a drill is told as refused', () => {
    expect(build({ ACTION: 'destroy' }, 'check-plan', 'PlanRefused')).toMatchObject({ failed: 'PlanRefused' });
  });
});
