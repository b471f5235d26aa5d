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
import { delimiter, join } from 'node:path';
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
echo "$AWS_ACCESS_KEY_ID $AWS_SESSION_TOKEN: $call" >> "$CALLERS"
case "$call" in
  "node -p"*) echo drill-1 ;;
  "aws sts assume-role"*) printf 'THEIRS\\tsecret\\ttoken\\n' ;;
  "aws sts get-caller-identity"*) echo "$ACCOUNT" ;;
  "git clone"*) mkdir -p "source/$OVERLAY" ;;
  "unzip "*) mkdir -p "$BASE/tools/$PROVIDERS" && ln -s "$ARCHIVED" "$BASE/tools/terraform" ;;
  "terraform init"*) echo "init with: $TF_CLI_ARGS_init" ;;
  "terraform show"* | "node run-job.mjs"*) echo '{}' > "$BASE/outcome.json"; echo '{}' ;;
  "terraform plan"*)
    if [ -n "$HELD" ] && [ ! -e "$BASE/unlocked" ]; then
      printf 'Error: Error acquiring the state lock\\n\\nLock Info:\\n  ID:        %s\\n  Path:      b/k\\n' "$HELD" >&2
      exit 1
    fi
    touch recovery.tfplan lacking.tfplan ;;
  "terraform force-unlock -force $HELD") touch "$BASE/unlocked" ;;
  *list-imports*) printf 'aws_eks_cluster.this dr-drill-stocker\\naws_eks_node_group.a dr-drill-stocker:a\\n' ;;
esac
if [ -n "$FAILS" ] && [[ "$call" == *"$FAILS"* ]]; then
  case "$call" in *check-plan*) echo "$REFUSAL" > refused ;; esac
  echo "Error: simulated"
  exit "$STATUS"
fi
`,
);
chmodSync(join(tools, 'tool'), 0o755);
/** As CodeBuild's image has them, and nothing else of this machine, which may have a Terraform. */
const image = join(directory, 'image');
mkdirSync(image);
for (const name of ['git', 'kubectl', 'aws', 'node', 'unzip']) symlinkSync(join(tools, 'tool'), join(image, name));
for (const name of ['bash', 'basename', 'cat', 'cp', 'grep', 'ln', 'mkdir', 'rm', 'sed', 'tee', 'touch']) {
  const found = (process.env.PATH ?? '').split(delimiter).map((place) => join(place, name));
  symlinkSync(found.find(existsSync) ?? name, join(image, name));
}
for (const name of ['git', 'terraform', 'kubectl', 'aws', 'node']) symlinkSync('tool', join(tools, name));

let runs = 0;
/** Runs the commands in one shell, as CodeBuild does; `fails`: part of the call that fails. */
function build(variables: Readonly<Record<string, string>>, fails = '', refusal = 'PlanChanged', found = tools) {
  const base = join(directory, String(++runs));
  mkdirSync(base);
  const [calls, callers] = [join(base, 'calls'), join(base, 'callers')];
  const { status, stdout } = spawnSync('bash', ['-c', commands.join('\n')], {
    cwd: base,
    env: {
      ...{
        PATH: found === image ? image : `${found}:${process.env.PATH}`,
        ARCHIVED: join(tools, 'tool'),
        CALLS: calls,
        CALLERS: callers,
        BASE: base,
        FAILS: fails,
        REFUSAL: refusal,
        HELD: '',
        STATUS: '1',
      },
      ...{ REPOSITORY: 'git.example.com/stocker', COMMIT: 'abc', OVERLAY: 'kubernetes/overlays/production' },
      ...{
        STATE_BUCKET: 'b',
        STATE_KEY: 'k',
        LOCK_TABLE: 'l',
        VARIABLES: 'production.tfvars',
        AWS_REGION: 'us-east-1',
        TERRAFORM_ARCHIVE: 'tools/terraform.zip',
      },
      ...{ CLUSTER: 'stocker', NAMESPACE: 'stocker', APPROVED: 'planned', MANIFESTS: 'git' },
      ...variables,
    },
  });
  const failed = join(base, 'failed');
  return {
    status,
    calls: readFileSync(calls, 'utf8').trim().split('\n'),
    /** `<key> <session token>: <call>` */
    callers: readFileSync(callers, 'utf8').trim().split('\n'),
    log: `${stdout}${existsSync(join(base, 'output')) ? readFileSync(join(base, 'output'), 'utf8') : ''}`,
    failed: existsSync(failed) ? readFileSync(failed, 'utf8').trim() : undefined,
    isPlanKept: existsSync(join(base, 'source/terraform/recovery.tfplan')),
    isCompared: existsSync(join(base, 'differences')),
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
    expect(calls.findLast((call) => call.startsWith('terraform plan'))).toMatch(/-destroy$/);
    expect(briefly(calls)).toEqual(expect.arrayContaining(['node check-plan.mjs', 'terraform apply']));
    expect(calls.join('\n')).not.toMatch(/kubectl/);
  });
  it.each([
    ['', 'no lock'],
    ['0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9', 'the lock of a build that was killed'],
  ])('that destroys takes into the state first what is there without it, behind %s (%s)', (held) => {
    const { calls, failed } = build({ ACTION: 'destroy', HELD: held }, 'terraform import');
    const unlocked = held ? [`terraform force-unlock -force ${held}`] : [];
    expect(calls.filter((call) => /force-unlock|import |-destroy/.test(call))).toEqual([
      ...unlocked,
      'terraform import -input=false -no-color -var-file=production.tfvars aws_eks_cluster.this dr-drill-stocker',
      'terraform import -input=false -no-color -var-file=production.tfvars aws_eks_node_group.a dr-drill-stocker:a',
      'terraform plan -input=false -no-color -var-file=production.tfvars -out=recovery.tfplan -destroy',
    ]);
    expect(failed).toBeUndefined(); // what is not there cannot be imported
  });
  it.each(['plan', 'find', 'rebuild', 'rehearse', 'follow'])('to %s never breaks a lock', (ACTION) => {
    const { calls, failed } = build({ ACTION, HELD: '0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9' });
    expect(calls.join('\n')).not.toMatch(/force-unlock|import /);
    expect(failed).toBe('TerraformFailed');
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

describe('a build that finds', () => {
  const find = { ACTION: 'find' };
  it('plans with an exit status that tells, renders, compares, and changes nothing', () => {
    const { calls, failed, isCompared } = build(find);
    expect(calls.find((call) => call.startsWith('terraform plan'))).toMatch(/ -detailed-exitcode$/);
    expect(briefly(calls).slice(3)).toEqual([
      ...['terraform plan', 'terraform show', 'kubectl kustomize', 'aws eks', 'kubectl diff', 'node run-job.mjs'],
    ]);
    expect({ failed, isCompared }).toEqual({ failed: undefined, isCompared: true });
  });
  it.each([
    ['changes of Terraform (exit 2)', 'terraform plan', '2', undefined, true],
    ['a plan that fails (exit 1)', 'terraform plan', '1', 'TerraformFailed', false],
    ['differences (exit 1)', 'kubectl diff', '1', undefined, true],
    ['a cluster that does not answer (exit 2)', 'kubectl diff', '2', undefined, false],
    ['a cluster that is gone', 'update-kubeconfig', '254', undefined, false],
  ])('tells %s for what it is', (_, fails, status, name, compared) => {
    const { failed, isCompared } = build({ ...find, STATUS: status }, fails);
    expect({ failed, isCompared }).toEqual({ failed: name, isCompared: compared });
  });
  it('exit 2 of a plan that is to be applied is a failure', () => {
    expect(build({ ...rebuild, STATUS: '2' }, 'terraform plan')).toMatchObject({ failed: 'TerraformFailed' });
  });
});

describe('a build', () => {
  it('that rehearses checks what it makes, deploys, and takes the deployment out again', () => {
    const { calls } = build({ ACTION: 'rehearse', WORKLOAD: 'stocker-api' });
    expect(briefly(calls).slice(4)).toEqual([
      ...['terraform show', 'node check-plan.mjs', 'terraform apply'],
      ...['aws eks', 'kubectl apply', 'kubectl delete', 'node run-job.mjs'],
    ]);
    expect(calls).toContain('kubectl delete deployment stocker-api --namespace stocker');
  });
  it('that rebuilds without manifests does not touch the cluster', () => {
    expect(build({ ...rebuild, MANIFESTS: 'none' }).calls.join('\n')).not.toMatch(/kubectl|aws eks/);
  });
  it.each([
    ['there is none yet', 'state rm', undefined],
    ['the instance is not there', 'terraform import', 'TerraformFailed'],
  ])('that imports gives the state the instance, and plans: %s', (_, fails, name) => {
    const { calls, failed } = build({ ACTION: 'import', ADDRESS: 'a', INSTANCE: 'stocker-2' }, fails);
    expect(calls).toContain('terraform state rm a');
    expect(calls).toContain('terraform import -input=false -no-color -var-file=production.tfvars a stocker-2');
    expect(calls.join('\n')).not.toMatch(/apply|kubectl/);
    expect(failed).toBe(name);
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

describe('a build whose image has no Terraform', () => {
  const fetched = (variables: Readonly<Record<string, string>>, fails = '') =>
    build({ ...rebuild, ...variables }, fails, '', image);
  it('takes it from beside the state', () => {
    const { calls, failed, log } = fetched({});
    expect(briefly(calls).slice(0, 6)).toEqual([
      ...['git clone', 'git -C', 'aws s3', 'unzip -q', 'terraform version', 'terraform init'],
    ]);
    expect(calls).toContainEqual(expect.stringMatching(/^aws s3 cp --no-progress s3:\/\/b\/tools\/terraform\.zip /));
    expect(calls).toContainEqual(expect.stringMatching(/^terraform apply/));
    expect(failed).toBeUndefined();
    expect(log).toMatch(/^init with: $/m);
  });
  it('takes providers from there, too, and from nowhere else, where they are there', () => {
    expect(fetched({ PROVIDERS: 'providers' }).log).toMatch(/^init with: -plugin-dir=\/.*\/tools\/providers$/m);
  });
  it.each(['aws s3 cp', 'unzip', 'terraform version'])('says so by name where %s fails, and plans nothing', (fails) => {
    const { calls, failed, status } = fetched({}, fails);
    expect({ failed, status }).toEqual({ failed: 'TerraformUnavailable', status: 0 });
    expect(calls.join('\n')).not.toMatch(/terraform (init|plan|apply)|kubectl/);
    expect(calls.at(-1)).toMatch(/^node run-job/);
  });
  it('needs none where Git cannot be read', () => {
    const { calls } = fetched({ APPROVED: 'none', MANIFESTS: 's3://evidence/newest.json' });
    expect(calls.join('\n')).not.toMatch(/terraform/);
  });
});

describe('a build in another account', () => {
  const elsewhere = {
    ...rebuild,
    ...{ DRILL_ROLE: 'arn:aws:iam::999900001111:role/drill', DRILL_ACCOUNT: '999900001111', ACCOUNT: '999900001111' },
    ...{ AWS_ACCESS_KEY_ID: 'OURS', AWS_SECRET_ACCESS_KEY: 'ours' },
  };
  it('is that account’s role from the clone to the report, and neither before nor after', () => {
    const { callers, calls, failed } = build(elsewhere);
    expect(failed).toBeUndefined();
    const by = (who: string) => callers.filter((each) => each.startsWith(who)).map((each) => each.split(': ')[1] ?? '');
    expect(briefly(by('OURS '))).toEqual(['git clone', 'git -C', 'node -p', 'aws sts', 'node run-job.mjs']);
    expect(briefly(by('THEIRS token'))).toEqual([
      ...['aws sts', 'terraform init', 'terraform plan', 'terraform show', 'node check-plan.mjs', 'terraform apply'],
      ...['aws eks', 'kubectl apply'],
    ]);
    expect(calls.find((call) => call.startsWith('aws sts assume-role'))).toMatch(
      /--role-arn arn:aws:iam::999900001111:role\/drill --role-session-name drill-1 /,
    );
  });
  it('keeps what it becomes out of the log', () => {
    const { log } = build(elsewhere);
    expect(log).toContain('+ aws sts assume-role --role-arn arn:aws:iam::999900001111:role/drill');
    expect(log).not.toMatch(/THEIRS|secret|token/);
  });
  it.each([
    ['the role does not admit it', { ...elsewhere }, 'assume-role', /does not admit this build/],
    [
      'STS says that it is in another account',
      { ...elsewhere, ACCOUNT: '111122223333' },
      '',
      /acts in account 111122223333/,
    ],
    ['nobody says whose account it is', { ...elsewhere, ACCOUNT: '' }, '', /acts in account unknown/],
  ])('makes nothing where %s', (_, variables, fails, message) => {
    const { callers, log, failed } = build(variables, fails);
    expect(failed).toBe('DrillAccountRefused');
    expect(log).toMatch(message);
    expect(callers.join('\n')).not.toMatch(/terraform|kubectl/);
    // What became of it is written by the build’s own role.
    expect(callers.at(-1)).toMatch(/^OURS : node run-job/);
  });
  it('(control) without a role it is itself throughout', () => {
    const { callers } = build({ ...elsewhere, DRILL_ROLE: '' });
    expect(callers.every((each) => each.startsWith('OURS '))).toBe(true);
  });
});
