/** A cluster: its Kubernetes API, control loops, kubelet and load balancers, and who has access to it. */
import type * as Eks from '@aws-sdk/client-eks';
import { AwsError, type Home } from '../../kernel.ts';
import type { Listening } from '../../network.ts';
import type { AccessEntry } from './kubernetes/authorization.ts';
import { reconcile } from './kubernetes/controllers.ts';
import { ADDRESS_ANNOTATION, Forwarder } from './kubernetes/forwarder.ts';
import { Kubelet } from './kubernetes/kubelet.ts';
import { Nodes } from './kubernetes/nodes.ts';
import { KINDS, matchesLabels, ObjectStore, StatusError } from './kubernetes/objects.ts';
import { applyPatch } from './kubernetes/patch.ts';
import { serve } from './kubernetes/server.ts';
import { validated } from './kubernetes/validation.ts';
import { isReady, type Pod, type Service } from './kubernetes/workload.ts';
import type { KubernetesSetup } from './service.ts';

export interface Nodegroup {
  readonly name: string;
  readonly arn: string;
  readonly nodeRole: string;
  readonly subnets: readonly string[];
  readonly instanceTypes: readonly string[];
  readonly createdAt: Date;
  scaling: { minSize: number; maxSize: number; desiredSize: number };
  labels: Record<string, string>;
  tags: Record<string, string>;
}

export interface ClusterPlan {
  readonly name: string;
  readonly version: string;
  readonly roleArn: string;
  readonly network: Eks.VpcConfigRequest;
  readonly authenticationMode: Eks.AuthenticationMode;
  readonly tags: Readonly<Record<string, string>>;
}

/** On the virtual clock a container may take as long as it was drawn to. */
const addressWaitMs = { real: 120_000, scaled: 120_000, virtual: 3_600_000 } as const;
const ADDRESS_POLL_MS = 20;

export class Cluster {
  readonly plan: ClusterPlan;
  readonly arn: string;
  readonly createdAt: Date;
  /** By the principal's ARN. */
  readonly entries = new Map<string, AccessEntry>();
  readonly nodegroups = new Map<string, Nodegroup>();
  readonly #home: Home;
  readonly #store: ObjectStore;
  readonly #kubelet: Kubelet;
  readonly #forwarder: Forwarder;
  readonly #nodes: Nodes;
  #serving: Promise<Listening> | undefined;
  endpoint: string | undefined;
  #pending = false;
  #stopped = false;
  /** Settles with the next change of any object, or the end. */
  #change = Promise.withResolvers<void>();

  /** `addresses`: where services of a cluster of this name were reached before, by namespace/name. */
  constructor(home: Home, plan: ClusterPlan, addresses = new Map<string, number>()) {
    this.#home = home;
    this.plan = plan;
    this.arn = `arn:aws:eks:${home.region}:${home.account}:cluster/${plan.name}`;
    this.createdAt = new Date(home.clock.now());
    this.#store = new ObjectStore(home.clock);
    this.#kubelet = new Kubelet(home, this.#store);
    this.#forwarder = new Forwarder(home.world.network, this.#store, this.#kubelet, addresses, (port) =>
      home.darkness.locatePort(port, home.region),
    );
    this.#nodes = new Nodes(home, this.#store, this.#kubelet, plan.version);
    for (const name of ['default', 'kube-system']) this.#store.create('namespaces', { metadata: { name } });
    this.#store.onChange(() => {
      this.#change.resolve();
      this.#change = Promise.withResolvers();
      this.#wake();
    });
  }

  /** Resolves when the API listens. */
  async start(): Promise<void> {
    this.#serving = serve(this.#home, {
      clusterName: this.plan.name,
      version: this.plan.version,
      store: this.#store,
      entryOf: (arn) => this.entryOf(arn),
      podLog: (namespace, name) => this.#kubelet.logOf(this.#store.get('pods', namespace, name) as Pod),
    });
    this.endpoint = (await this.#serving).endpoint;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#nodes.stop();
    this.#change.resolve();
    this.#forwarder.stop();
    await this.#kubelet.stop();
    await (await this.#serving)?.close();
  }

  goDark(): void {
    this.#kubelet.kill();
  }

  /** An entry's principal may have a path, which a session's ARN does not tell. */
  entryOf(principalArn: string): AccessEntry | undefined {
    const short = (arn: string) => arn.replace(/:(role|user)\/.*\//, ':$1/');
    return (
      this.entries.get(principalArn) ??
      [...this.entries.values()].find((entry) => short(entry.principalArn) === short(principalArn))
    );
  }

  /** Makes the nodes what the node groups ask for. */
  syncNodes(): void {
    this.#nodes.sync([...this.nodegroups.values()]);
  }

  readonly setup: KubernetesSetup = {
    apply: async (manifest) => {
      const { kind: name, metadata } = manifest as { kind?: string; metadata?: { name?: string; namespace?: string } };
      const kind = KINDS.find((each) => each.kind === name);
      if (!kind || !metadata?.name) throw new StatusError(400, 'BadRequest', `no kind ${name} with a name`);
      const namespace = kind.namespaced ? (metadata.namespace ?? 'default') : undefined;
      const existing = this.#store.find(kind.plural, namespace, metadata.name);
      const next = validated(kind, namespace, metadata.name, applyPatch(existing, undefined, manifest));
      return existing ? this.#store.update(kind.plural, next) : this.#store.create(kind.plural, next);
    },
    address: async (namespace, name, { empty } = { empty: false }) => {
      const { clock } = this.#home;
      const begun = clock.now();
      const limit = begun + addressWaitMs[clock.kind];
      for (;;) {
        const service = this.#store.find<Service>('services', namespace, name);
        const address = service?.metadata.annotations?.[ADDRESS_ANNOTATION];
        const selector = service?.spec.selector ?? {};
        const pods = this.#store
          .list<Pod>('pods', namespace)
          .filter(({ metadata }) => matchesLabels(selector, metadata.labels));
        if (address && (empty || pods.some(isReady))) return `http://${address}`;
        if (this.#stopped || clock.now() > limit) {
          const states = pods.map(
            (pod) => `${pod.metadata.name}: ${JSON.stringify(pod.status)} ${this.#kubelet.logOf(pod)}`,
          );
          throw new StatusError(
            503,
            'ServiceUnavailable',
            `service ${namespace}/${name} has no ready pod: ${states.join('; ') || 'no pods'}`,
          );
        }
        await this.#changed(limit - clock.now());
        await clock.limit(ADDRESS_POLL_MS - ((clock.now() - begun) % ADDRESS_POLL_MS));
      }
    },
    nodes: () => this.#nodes,
  };

  /** Resolves at the next change of any object, or after so many milliseconds. */
  async #changed(withinMs: number): Promise<void> {
    const over = new AbortController();
    const late = this.#home.clock.limit(withinMs, over.signal).catch(() => undefined);
    await Promise.race([this.#change.promise, late]);
    over.abort('over');
  }

  /** Runs the control loops once for any number of changes before the next turn. */
  #wake(): void {
    if (this.#pending || this.#stopped) return;
    this.#pending = true;
    setImmediate(() => {
      this.#pending = false;
      if (this.#stopped) return;
      reconcile(this.#store);
      this.#kubelet.sync();
      this.#forwarder.sync();
    });
  }
}

export type Clusters = Map<string, Cluster>;

export function findCluster(clusters: Clusters, name: string | undefined): Cluster {
  const cluster = clusters.get(name ?? '');
  if (!cluster)
    throw new AwsError('ResourceNotFoundException', `No cluster found for name: ${name}.`, { clusterName: name });
  return cluster;
}

export const clusterArn = (home: Home, name: string | undefined): string =>
  `arn:aws:eks:${home.region}:${home.account}:cluster/${name ?? ''}`;
