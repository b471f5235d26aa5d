/** In front of a service's pods: one stable port of 127.0.0.1 per service, whose connections go to ready pods in turn. */
import type { Listening, Network } from '../../../network.ts';
import type { Kubelet } from './kubelet.ts';
import { matchesLabels, type ObjectStore } from './objects.ts';
import { isReady, type Pod, type Service } from './workload.ts';

/** Where a service is reached from this machine, `host:port`, as an annotation; a LoadBalancer also has it in its status. */
export const ADDRESS_ANNOTATION = 'embedded-cloud/address';

interface Balancer {
  readonly listening: Promise<Listening>;
  /** Known once it listens. */
  port?: number;
  next: number;
}

export class Forwarder {
  readonly #balancers = new Map<string, Balancer>();
  readonly #network: Network;
  readonly #store: ObjectStore;
  readonly #kubelet: Kubelet;
  readonly #addresses: Map<string, number>;
  readonly #locate: (port: number) => void;
  /**
   * `addresses`: ports that services of this cluster's name had; a load balancer made beforehand outlives its cluster.
   * `locate` says of a port that it is in the cluster's Region.
   */
  constructor(
    network: Network,
    store: ObjectStore,
    kubelet: Kubelet,
    addresses: Map<string, number>,
    locate: (port: number) => void,
  ) {
    this.#addresses = addresses;
    this.#locate = locate;
    this.#network = network;
    this.#store = store;
    this.#kubelet = kubelet;
  }

  /**
   * Opens a port for every new service, and closes those of services that are gone. An address that was applied, such as
   * that of the cluster which a manifest was exported from, is none here.
   */
  sync(): void {
    const services = this.#store.list<Service>('services');
    for (const service of services) {
      const uid = service.metadata.uid ?? '';
      const balancer = this.#balancers.get(uid);
      if (balancer === undefined) this.#open(uid, service);
      else if (balancer.port !== undefined) this.#announce(service, balancer.port);
    }
    for (const [uid, balancer] of this.#balancers) {
      if (!services.some(({ metadata }) => metadata.uid === uid)) this.#close(uid, balancer);
    }
  }

  stop(): void {
    for (const [uid, balancer] of this.#balancers) this.#close(uid, balancer);
  }

  #open(uid: string, { metadata }: Service): void {
    const name = `${metadata.namespace}/${metadata.name}`;
    const listening = this.#network.forward(() => this.#choose(uid), this.#addresses.get(name));
    const balancer: Balancer = { listening, next: 0 };
    this.#balancers.set(uid, balancer);
    void listening.then(({ port }) => {
      balancer.port = port;
      this.#locate(port);
      this.#addresses.set(name, port);
      const current = this.#store.find<Service>('services', metadata.namespace, metadata.name);
      if (current?.metadata.uid === uid) this.#announce(current, port);
    });
  }

  #announce(service: Service, port: number): void {
    const address = `127.0.0.1:${port}`;
    if (service.metadata.annotations?.[ADDRESS_ANNOTATION] === address) return;
    const annotations = { ...service.metadata.annotations, [ADDRESS_ANNOTATION]: address };
    const ingress = [{ ip: '127.0.0.1', ports: [{ port, protocol: 'TCP' }] }];
    this.#store.update('services', {
      ...service,
      metadata: { ...service.metadata, annotations },
      status: { loadBalancer: service.spec.type === 'LoadBalancer' ? { ingress } : {} },
    });
  }

  /** The port of a ready pod, in turn; undefined where the service has no endpoint. */
  #choose(uid: string): number | undefined {
    const balancer = this.#balancers.get(uid);
    const service = this.#store.list<Service>('services').find(({ metadata }) => metadata.uid === uid);
    const selector = service?.spec.selector;
    if (balancer === undefined || selector === undefined) return undefined;
    const pods = this.#store
      .list<Pod>('pods', service?.metadata.namespace)
      .filter((pod) => isReady(pod) && matchesLabels(selector, pod.metadata.labels));
    return pods.length > 0 ? this.#kubelet.portOf(pods[balancer.next++ % pods.length] as Pod) : undefined;
  }

  #close(uid: string, { listening }: Balancer): void {
    this.#balancers.delete(uid);
    void listening.then((open) => open.close());
  }
}
