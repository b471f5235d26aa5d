/** In front of a service's pods: one stable port of 127.0.0.1 per service, whose connections go to ready pods in turn. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Kubelet } from './kubelet.ts';
import { matchesLabels, type ObjectStore } from './objects.ts';
import { isReady, type Pod, type Service } from './workload.ts';

/** Where a service is reached from this machine, `host:port`, as an annotation; a LoadBalancer also has it in its status. */
export const ADDRESS_ANNOTATION = 'embedded-cloud/address';

interface Balancer {
  readonly server: Server;
  readonly sockets: Set<Socket>;
  next: number;
}

export class Forwarder {
  readonly #balancers = new Map<string, Balancer>();
  readonly #store: ObjectStore;
  readonly #kubelet: Kubelet;
  constructor(store: ObjectStore, kubelet: Kubelet) {
    this.#store = store;
    this.#kubelet = kubelet;
  }

  /** Opens a port for every new service, and closes those of services that are gone. */
  sync(): void {
    const services = this.#store.list<Service>('services');
    for (const service of services) {
      const uid = service.metadata.uid ?? '';
      if (!this.#balancers.has(uid)) this.#open(uid, service);
    }
    for (const [uid, balancer] of this.#balancers) {
      if (!services.some(({ metadata }) => metadata.uid === uid)) this.#close(uid, balancer);
    }
  }

  stop(): void {
    for (const [uid, balancer] of this.#balancers) this.#close(uid, balancer);
  }

  #open(uid: string, { metadata }: Service): void {
    const sockets = new Set<Socket>();
    const server = createServer((client) => this.#forward(uid, client));
    this.#balancers.set(uid, { server, sockets, next: 0 });
    server.listen(0, '127.0.0.1', () => {
      const current = this.#store.find<Service>('services', metadata.namespace, metadata.name);
      if (current?.metadata.uid !== uid) return;
      const { port } = server.address() as AddressInfo;
      const annotations = { ...current.metadata.annotations, [ADDRESS_ANNOTATION]: `127.0.0.1:${port}` };
      const ingress = [{ ip: '127.0.0.1', ports: [{ port, protocol: 'TCP' }] }];
      this.#store.update('services', {
        ...current,
        metadata: { ...current.metadata, annotations },
        status: { loadBalancer: current.spec.type === 'LoadBalancer' ? { ingress } : {} },
      });
    });
  }

  #forward(uid: string, client: Socket): void {
    const balancer = this.#balancers.get(uid);
    const service = this.#store.list<Service>('services').find(({ metadata }) => metadata.uid === uid);
    const selector = service?.spec.selector;
    const pods = selector
      ? this.#store
          .list<Pod>('pods', service.metadata.namespace)
          .filter((pod) => isReady(pod) && matchesLabels(selector, pod.metadata.labels))
      : [];
    const port =
      balancer && pods.length > 0 ? this.#kubelet.portOf(pods[balancer.next++ % pods.length] as Pod) : undefined;
    if (!balancer || port === undefined) {
      client.destroy(); // no endpoint: the connection is refused
      return;
    }
    const upstream = connect(port, '127.0.0.1');
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      balancer.sockets.add(socket);
      socket
        .on('error', () => other.destroy())
        .on('close', () => {
          balancer.sockets.delete(socket);
          other.destroy();
        });
      socket.pipe(other);
    }
  }

  #close(uid: string, { server, sockets }: Balancer): void {
    this.#balancers.delete(uid);
    server.close();
    for (const socket of sockets) socket.destroy();
  }
}
