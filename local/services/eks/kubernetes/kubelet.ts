/** Runs pods: a pod's container is a real process, told its port by PORT, probed for readiness, restarted when it ends. Liveness probes are kept and not run. */
import type { Home } from '../../../kernel.ts';
import type { RunningContainer } from '../../../world.ts';
import { type PulledImage, pull } from './images.ts';
import type { ObjectStore } from './objects.ts';
import { environmentOf } from './pod-environment.ts';
import { type Container, condition, type Pod, type Probe } from './workload.ts';

interface Running {
  readonly ended: AbortController;
  readonly done: Promise<void>;
  port?: number;
  /** Of the image that was pulled last. */
  imageId?: string | undefined;
  /** Ends its container's process at once. */
  kill?: () => void;
  /** Its node is gone: nothing runs any more, and nobody says so. */
  isLost?: boolean;
  log: string;
}

const LOG_KEPT = 65_536;
/** A container that ends is restarted after 10 s, then twice as long each time, up to five minutes. */
const [BACKOFF_MS, BACKOFF_LIMIT_MS] = [10_000, 300_000];

/** Between two probes of what is not ready yet: on real machines nobody likes to wait. */
const notReadyMs = { real: 100, scaled: 100, virtual: 1000 } as const;
/** Why a wait ends that nobody waits for any more: a reason of its own would be made anew each time. */
const ended = new Error('it is over');

export class Kubelet {
  readonly #running = new Map<string, Running>();
  readonly #home: Home;
  readonly #store: ObjectStore;
  #stopped = false;
  constructor(home: Home, store: ObjectStore) {
    this.#home = home;
    this.#store = store;
  }

  /** Starts pods that have a node, ends pods that are marked. */
  sync(): void {
    if (this.#stopped) return;
    for (const pod of this.#store.list<Pod>('pods')) {
      const running = this.#running.get(pod.metadata.uid ?? '');
      if (pod.metadata.deletionTimestamp) {
        if (running) running.ended.abort();
        else this.#store.remove('pods', pod);
      } else if (!running && pod.spec.nodeName) this.#start(pod);
    }
  }

  /** Where a pod listens on 127.0.0.1. */
  portOf(pod: Pod): number | undefined {
    return this.#running.get(pod.metadata.uid ?? '')?.port;
  }

  logOf(pod: Pod): string {
    return this.#running.get(pod.metadata.uid ?? '')?.log ?? '';
  }

  /** The nodes lose their power: every process ends, and pods start again when time goes on. */
  kill(): void {
    for (const { kill } of this.#running.values()) kill?.();
  }

  /** A node is gone with all that ran on it: its pods end, are not started again, and nobody reports it. */
  lose(nodeName: string): void {
    for (const pod of this.#store.list<Pod>('pods')) {
      const running = pod.spec.nodeName === nodeName ? this.#running.get(pod.metadata.uid ?? '') : undefined;
      if (running === undefined) continue;
      running.isLost = true;
      running.kill?.();
    }
  }

  isRunning(pod: Pod): boolean {
    const running = this.#running.get(pod.metadata.uid ?? '');
    return running !== undefined && !running.isLost;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const { ended } of this.#running.values()) ended.abort();
    await Promise.all([...this.#running.values()].map(({ done }) => done));
  }

  #start(pod: Pod): void {
    const ended = new AbortController();
    const uid = pod.metadata.uid ?? '';
    const running: Running = { ended, log: '', done: Promise.resolve() };
    const done = this.#live(pod, running).finally(() => {
      this.#running.delete(uid);
      const current = this.#current(pod);
      if (current) this.#store.remove('pods', current);
    });
    this.#running.set(uid, Object.assign(running, { done }));
  }

  /** From the first start to the end of the pod. */
  async #live(pod: Pod, running: Running): Promise<void> {
    const [container] = pod.spec.containers;
    if (!container) return;
    const { signal } = running.ended;
    for (let restarts = 0; !signal.aborted; restarts += 1) {
      const pulled = pull(this.#home, container.image);
      if (!pulled) {
        this.#report(pod, container, {
          restarts,
          waiting: 'ImagePullBackOff',
          message: `Back-off pulling image "${container.image}"`,
        });
      } else {
        try {
          await this.#run(pod, container, pulled, running, restarts);
        } catch (error) {
          this.#report(pod, container, {
            restarts,
            waiting: 'CreateContainerConfigError',
            message: error instanceof Error ? error.message : String(error),
          });
        }
      }
      if (running.isLost && !signal.aborted)
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      if (signal.aborted) return;
      await this.#home.clock
        .sleep(Math.min(BACKOFF_MS * 2 ** restarts, BACKOFF_LIMIT_MS), signal)
        .catch(() => undefined);
    }
  }

  async #run(pod: Pod, container: Container, pulled: PulledImage, running: Running, restarts: number): Promise<void> {
    const { world, dataDirectory } = this.#home;
    const port = await world.network.freePort();
    const env = await environmentOf(this.#home, this.#store, pod, container);
    if (running.ended.signal.aborted) return;
    running.port = port;
    running.imageId = pulled.id;
    const { command, args } = container;
    const onOutput = (text: string) => {
      running.log = (running.log + text).slice(-LOG_KEPT);
    };
    const started = world.startContainer(pulled.image, { dataDirectory, command, args, env, port, onOutput });
    // Made apart: V8 makes a function that is written into a property among the old objects (decisions/0023).
    const kill = () => started.end('SIGKILL');
    running.kill = kill;
    const over = new AbortController();
    void started.exited.then(() => over.abort());
    this.#report(pod, container, { restarts, ready: container.readinessProbe === undefined });
    const probing = this.#probe(pod, container, port, restarts, AbortSignal.any([over.signal, running.ended.signal]));
    const onEnd = () => void this.#terminate(started, pod, over.signal);
    running.ended.signal.addEventListener('abort', onEnd);
    if (running.ended.signal.aborted) onEnd();
    const exit = await started.exited;
    await probing;
    running.ended.signal.removeEventListener('abort', onEnd);
    if (running.isLost) return;
    this.#report(pod, container, {
      restarts: restarts + 1,
      waiting: 'CrashLoopBackOff',
      message: `exit code ${exit}`,
    });
  }

  /** SIGTERM, and SIGKILL after the grace period. */
  async #terminate(container: RunningContainer, pod: Pod, exited: AbortSignal): Promise<void> {
    container.end('SIGTERM');
    const grace = this.#stopped ? 500 : (pod.spec.terminationGracePeriodSeconds ?? 30) * 1000;
    await this.#home.clock.limit(grace, exited).then(
      () => container.end('SIGKILL'),
      () => undefined, // it ended by itself
    );
  }

  /** Probes until the container ends. One that is not ready yet is probed more often, as the kubelet may. */
  async #probe(pod: Pod, container: Container, port: number, restarts: number, signal: AbortSignal): Promise<void> {
    const probe = container.readinessProbe;
    if (!probe) return;
    let failures = 0;
    let ready = false;
    const pause = (ms: number) => this.#home.clock.sleep(ms, signal).catch(() => undefined);
    await pause((probe.initialDelaySeconds ?? 0) * 1000);
    while (!signal.aborted) {
      const healthy = await this.#answers(probe, port, signal);
      failures = healthy ? 0 : failures + 1;
      const next: boolean = healthy || (ready && failures < (probe.failureThreshold ?? 3));
      if (next !== ready && !signal.aborted && !this.#running.get(pod.metadata.uid ?? '')?.isLost) {
        ready = next;
        this.#report(pod, container, { restarts, ready });
      }
      if (ready) await pause((probe.periodSeconds ?? 10) * 1000);
      else await this.#home.clock.limit(notReadyMs[this.#home.clock.kind], signal).catch(() => undefined);
    }
  }

  async #answers({ httpGet, timeoutSeconds = 1 }: Probe, port: number, signal: AbortSignal): Promise<boolean> {
    const { clock, world } = this.#home;
    const late = new AbortController();
    const url = new URL(httpGet?.path ?? '/', `http://127.0.0.1:${port}`);
    const asked = world.network.request(url, { signal: AbortSignal.any([signal, late.signal]) });
    const answered = asked.then(({ status }) => status >= 200 && status < 400).catch(() => false);
    const over = new AbortController();
    void clock.limit(timeoutSeconds * 1000, over.signal).then(
      () => late.abort(),
      () => undefined,
    );
    return answered.finally(() => over.abort(ended));
  }

  #current(pod: Pod): Pod | undefined {
    const current = this.#store.find<Pod>('pods', pod.metadata.namespace, pod.metadata.name);
    return current?.metadata.uid === pod.metadata.uid ? current : undefined;
  }

  #report(
    pod: Pod,
    container: Container,
    state: { restarts: number; ready?: boolean; waiting?: string; message?: string },
  ): void {
    const current = this.#current(pod);
    if (!current) return;
    const { restarts, ready = false, waiting, message } = state;
    const imageId = this.#running.get(pod.metadata.uid ?? '')?.imageId;
    const now = this.#store.timestamp();
    const previous = current.status?.conditions ?? [];
    const is = (type: string) =>
      condition(
        previous,
        { type, status: ready ? 'True' : 'False', ...(!ready && { reason: 'ContainersNotReady' }) },
        now,
      );
    const scheduled = previous.filter(({ type }) => type === 'PodScheduled');
    this.#store.update('pods', {
      ...current,
      status: {
        phase: waiting && restarts === 0 ? 'Pending' : 'Running',
        conditions: [...scheduled, is('ContainersReady'), is('Ready')],
        podIP: '127.0.0.1',
        startTime: current.status?.startTime ?? now,
        containerStatuses: [
          {
            name: container.name,
            image: container.image,
            ...(imageId !== undefined && { imageID: imageId }),
            ready,
            restartCount: restarts,
            state: waiting ? { waiting: { reason: waiting, message } } : { running: { startedAt: now } },
          },
        ],
      },
    });
  }
}
