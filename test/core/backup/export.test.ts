import { describe, expect, it } from 'vitest';
import { exportCluster } from '../../../core/backup/export-cluster.ts';
import { asWritten, digestsOf, isExported, secretsOf } from '../../../core/backup/manifests.ts';
import type { ClusterState, Manifest, NamespacedKind } from '../../../core/backup/ports.ts';
import { settings } from '../fakes.ts';
import { both, FakeArchive, makeRun } from './fakes.ts';

const kind = (name: string, apiVersion = 'v1', plural = `${name.toLowerCase()}s`): NamespacedKind => ({
  kind: name,
  apiVersion,
  plural,
});
const digest = `sha256:${'ab'.repeat(32)}`;
const image = '111122223333.dkr.ecr.us-east-1.amazonaws.com/stocker/api';
const secretValue = 'hunter2';

/** As the Kubernetes API answers: full of what the cluster added. */
const deployment: Manifest = {
  metadata: {
    name: 'api',
    namespace: 'stocker',
    uid: 'u-1',
    resourceVersion: '77',
    generation: 4,
    creationTimestamp: '2026-01-01T00:00:00Z',
    managedFields: [{ manager: 'kubectl' }],
    labels: { app: 'api' },
    annotations: {
      'kubectl.kubernetes.io/last-applied-configuration': `{"env":"${secretValue}"}`,
      'deployment.kubernetes.io/revision': '4',
      'stocker/owner': 'team',
    },
  },
  spec: {
    replicas: 2,
    template: {
      metadata: { labels: { app: 'api' } },
      spec: {
        imagePullSecrets: [{ name: 'registry' }],
        containers: [
          {
            name: 'api',
            image: `${image}:1.4`,
            env: [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'database', key: 'password' } } }],
            envFrom: [{ secretRef: { name: 'settings' } }],
          },
        ],
        volumes: [{ name: 'tls', secret: { secretName: 'certificate' } }],
      },
    },
  },
  status: { replicas: 2 },
};
const pod: Manifest = {
  metadata: { name: 'api-1', ownerReferences: [{ kind: 'ReplicaSet', controller: true }] },
  spec: { nodeName: 'node-1' },
  status: { containerStatuses: [{ image: `${image}:1.4`, imageID: `${image}@${digest}` }] },
};
const service: Manifest = {
  metadata: { name: 'api', namespace: 'stocker' },
  spec: { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], selector: { app: 'api' }, ports: [{ port: 80 }] },
};

describe('a manifest', () => {
  const written = asWritten(deployment, kind('Deployment', 'apps/v1'));
  it('is what somebody would have written: no identity, no status, no notes of controllers', () => {
    expect(written).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {
        name: 'api',
        namespace: 'stocker',
        labels: { app: 'api' },
        annotations: { 'stocker/owner': 'team' },
      },
      spec: deployment.spec,
    });
  });
  it('repeats nothing that was applied once', () => {
    expect(JSON.stringify(deployment)).toContain(secretValue);
    expect(JSON.stringify(written)).not.toContain(secretValue);
  });
  it('is left to the controller that owns it', () => expect(asWritten(pod, kind('Pod'))).toBeUndefined());
  it.each([
    { name: 'kube-root-ca.crt', of: 'ConfigMap' },
    { name: 'default', of: 'ServiceAccount' },
  ])('of $of $name is left out: every namespace has it', ({ name, of }) => {
    expect(asWritten({ metadata: { name } }, kind(of))).toBeUndefined();
    expect(asWritten({ metadata: { name: 'mine' } }, kind(of))).toBeDefined();
  });
  it('of a service leaves its address to the next cluster, unless it is headless', () => {
    expect(asWritten(service, kind('Service'))?.spec).toEqual({ selector: { app: 'api' }, ports: [{ port: 80 }] });
    const headless = { ...service, spec: { clusterIP: 'None', selector: {} } };
    expect(asWritten(headless, kind('Service'))?.spec).toEqual(headless.spec);
  });
  it('refers to secrets by name', () => {
    expect(secretsOf(deployment)).toEqual(['certificate', 'database', 'registry', 'settings']);
  });
});

describe('images', () => {
  it('are named by the digest that a pod runs, also from a registry with a port', () => {
    const local = { status: { containerStatuses: [{ image: 'registry:5000/api', imageID: `x://y@${digest}` }] } };
    expect([...digestsOf([pod, local, { metadata: {} }])]).toEqual([
      [`${image}:1.4`, `${image}@${digest}`],
      ['registry:5000/api', `registry:5000/api@${digest}`],
    ]);
  });
});

class FakeCluster implements ClusterState {
  readonly asked: string[] = [];
  readonly objects: Readonly<Record<string, Manifest[] | 'forbidden'>>;
  constructor(objects: Readonly<Record<string, Manifest[] | 'forbidden'>>) {
    this.objects = objects;
  }
  async kinds() {
    return [...Object.keys(this.objects), 'Secret', 'Event'].map((name) =>
      kind(name, name === 'Deployment' ? 'apps/v1' : 'v1'),
    );
  }
  async list(_namespace: string, { kind: name }: NamespacedKind) {
    this.asked.push(name);
    return this.objects[name] ?? [];
  }
}

describe('the export', () => {
  const run = makeRun();
  const doExport = async (objects: Readonly<Record<string, Manifest[] | 'forbidden'>>) => {
    const cluster = new FakeCluster(objects);
    const archives = both(() => new FakeArchive());
    return { ...(await exportCluster({ run }, { settings, cluster, archives })), archives, cluster };
  };
  const key = `backups/cluster-state/${run.id}/stocker.json`;
  const all = {
    Deployment: [deployment],
    Pod: [pod],
    Service: [service],
    ConfigMap: [{ metadata: { name: 'settings' } }],
  };

  it('is one list in both Regions that kubectl applies: the namespace first, and images by digest', async () => {
    const { outcome, archives, images } = await doExport(all);
    expect(outcome).toMatchObject({ verdict: 'passed', facts: { unresolved: [], forbidden: [] } });
    expect(images).toEqual([`${image}@${digest}`]);
    const list = JSON.parse(archives.here.objects.get(key) ?? '');
    expect(list).toMatchObject({ apiVersion: 'v1', kind: 'List' });
    expect(list.items.map((each: Manifest) => each.kind)).toEqual(['Namespace', 'ConfigMap', 'Service', 'Deployment']);
    expect(list.items[3].spec.template.spec.containers[0].image).toBe(`${image}@${digest}`);
    // Each Region pulls from its own registry: the other one may be dark.
    const there = archives.there.objects.get(key) ?? '';
    expect(there).toBe(archives.here.objects.get(key)?.replaceAll('.ecr.us-east-1.', '.ecr.us-west-2.'));
    expect(there).toContain('.ecr.us-west-2.');
  });
  it('never asks for a secret, and lists the names that it refers to', async () => {
    const { outcome, cluster, archives } = await doExport(all);
    expect(cluster.asked).not.toContain('Secret');
    expect(isExported(kind('Secret'))).toBe(false);
    expect(outcome.facts.secrets).toEqual(
      ['certificate', 'database', 'registry', 'settings'].map((name) => `stocker/${name}`),
    );
    expect(archives.here.objects.get(key)).not.toContain(secretValue);
  });
  it('fails by name where it may not list something', async () => {
    const { outcome, archives } = await doExport({ ...all, Ingress: 'forbidden' });
    expect(outcome).toMatchObject({ verdict: 'failed', summary: expect.stringContaining('ingresss of v1 in stocker') });
    expect(archives.there.objects.has(key)).toBe(true);
  });
  it('fails where a namespace holds nothing', async () => {
    expect((await doExport({ Deployment: [] })).outcome).toMatchObject({ verdict: 'failed' });
  });
  it('names the images of which no pod tells a digest', async () => {
    const { unresolved, outcome } = await doExport({ ...all, Pod: [] });
    expect(unresolved).toEqual([`${image}:1.4`]);
    expect(outcome.verdict).toBe('passed');
  });
});
