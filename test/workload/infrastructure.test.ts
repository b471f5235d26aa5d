/** The workload's Terraform and Kustomize inputs: the real tools accept them where they are installed, and the stand-ins agree with them. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { planOf } from '../../cli/installation.ts';
import { environments } from '../../config/index.ts';
import { kubernetesGroup } from '../../config/names.ts';
import { buildOverlay } from '../../local/tools/kustomize.ts';
import { commit, desiredStates, makeRepository } from '../../workload/infrastructure/repository.ts';
import { recoveryAccessManifests } from '../../workload/kubernetes/manifests.ts';

const workload = join(import.meta.dirname, '../../workload');
const overlays = readdirSync(join(workload, 'kubernetes/overlays'));
const has = (tool: string) => spawnSync(tool, ['version'], { stdio: 'ignore' }).error === undefined;
const directory = mkdtempSync(join(tmpdir(), 'stocker-dr-repository-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const sorted = (objects: readonly unknown[]) => objects.map((each) => JSON.stringify(ordered(each))).sort();
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, each]): [string, unknown] => [name, ordered(each)])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

describe('Kustomize', () => {
  it.skipIf(!has('kubectl')).each(overlays)('builds the overlay %s as the stand-in does', (overlay) => {
    const path = join(workload, 'kubernetes/overlays', overlay);
    const real = parseAllDocuments(execFileSync('kubectl', ['kustomize', path], { encoding: 'utf8' }));
    expect(sorted(real.map((document) => document.toJS()))).toEqual(sorted(buildOverlay(path)));
  });
  it('of the stand-in refuses what it does not know, and what is not there', () => {
    const path = join(directory, 'broken');
    writeFileSync(join(directory, 'kustomization.yaml'), 'resources: [nowhere.yaml]\n');
    expect(() => buildOverlay(directory)).toThrow(/no such file/);
    writeFileSync(join(directory, 'kustomization.yaml'), 'namePrefix: x\n');
    expect(() => buildOverlay(directory)).toThrow(/knows no namePrefix/);
    expect(() => buildOverlay(path)).toThrow(/unable to read/);
    rmSync(join(directory, 'kustomization.yaml'));
  });
});

describe.each(Object.values(environments))('$environment', (configuration) => {
  const { environment, cluster, application, canary, primary, dr, account, database } = configuration;
  const places = [
    { blueprint: cluster.primary, region: primary.region, reads: application },
    { blueprint: cluster.dr, region: dr.region, reads: application },
    { blueprint: cluster.drill, region: primary.region, reads: canary },
  ];
  it.each(places)('deploys in $blueprint.overlay what the configuration names', ({ blueprint, region, reads }) => {
    const objects = buildOverlay(join(workload, '..', 'workload', blueprint.overlay));
    const named = (kind: string, name: string) =>
      objects.find((each) => each.kind === kind && each.metadata.name === name);
    expect(named('Namespace', application.deployment.namespace)).toBeDefined();
    for (const { name } of [application.deployment, canary.deployment])
      expect(named('Deployment', name)?.spec.template.spec.containers[0].image).toBe(
        `${account}.dkr.ecr.${region}.amazonaws.com/stocker-api:1`,
      );
    expect(named('ConfigMap', application.deployment.name)?.data).toEqual({
      DATABASE_ENDPOINT_PARAMETER: reads.databaseEndpointParameter,
      DATABASE_NAME: database.name,
      DATABASE_SECRET: database.applicationRoles[0]?.secretName,
    });
  });
  it('names in its files of variables what the configuration names', () => {
    for (const { blueprint, region } of places) {
      const text = readFileSync(join(workload, 'terraform', blueprint.variables), 'utf8');
      expect(text).toMatch(new RegExp(`^cluster += "${blueprint.cluster}"$`, 'm'));
      expect(text).toMatch(new RegExp(`^region += "${region}"$`, 'm'));
    }
    expect(readFileSync(join(workload, 'terraform', cluster.drill.variables), 'utf8')).not.toMatch(/database/);
    expect(Object.keys(desiredStates(planOf(configuration), environment))).toEqual(
      places.map(({ blueprint }) => blueprint.variables.replace('.tfvars', '')),
    );
  });
});

it('the base lets the recovery do what the rehearsal lets it do', () => {
  const [{ namespace } = { namespace: '' }] = Object.values(environments).map(
    ({ application }) => application.deployment,
  );
  const kinds = ['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding'];
  const granted = buildOverlay(join(workload, 'kubernetes/overlays/production')).filter(({ kind }) =>
    kinds.includes(kind),
  );
  expect(granted).toEqual(recoveryAccessManifests(namespace, kubernetesGroup));
});

it.skipIf(!has('terraform'))('Terraform has nothing to format', () => {
  const { status, stdout } = spawnSync('terraform', ['fmt', '-check', '-recursive', join(workload, 'terraform')], {
    encoding: 'utf8',
  });
  expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
});

it('the repository has a commit that a build can clone, and another after a change', () => {
  const first = makeRepository(join(directory, 'repository'), { production: { 'STAND-IN': 'x', resources: [] } });
  expect(parse(readFileSync(join(first.directory, 'terraform/production.desired.json'), 'utf8')).resources).toEqual([]);
  writeFileSync(join(first.directory, 'terraform/production.desired.json'), '{}');
  const second = commit(first, 'a change');
  expect(second.commit).toMatch(/^[0-9a-f]{40}$/);
  expect(second.commit).not.toBe(first.commit);
  execFileSync('git', ['clone', '--quiet', second.url, join(directory, 'clone')]);
  expect(existsSync(join(directory, 'clone/terraform/main.tf'))).toBe(true);
});
