/** A cloud inside one process, on a virtual clock, with chance from a seed: nothing of it touches the machine but files. */
import type { CertificateAuthority } from '../certificates.ts';
import type { Way } from '../functions/protocol.ts';
import { createDataDirectory, type DataDirectory } from '../process/data-directory.ts';
import type { DatabaseEngine } from '../services/rds/engine.ts';
import type { Dispatch } from '../wire/server.ts';
import type { ContainerOptions, RunningContainer, World } from '../world.ts';
import { VirtualClock } from './clock.ts';
import { dispatchOnce } from './direct.ts';
import { VirtualEnvironment } from './environment.ts';
import type { Surroundings } from './here.ts';
import { connectionError } from './message.ts';
import { VirtualNetwork } from './network.ts';

/** What takes how long, in milliseconds of the virtual clock; drawn anew each time. */
export interface Latencies {
  /** A request from a function to anything. */
  request(): number;
  /** The start of a function's environment. */
  coldStart(): number;
  /** From a container's start until it serves. */
  containerStart(): number;
}

export interface VirtualWorldOptions {
  /** Epoch milliseconds. */
  readonly start: number;
  readonly random: () => number;
  readonly latencies: Latencies;
  /** Functions call over HTTP, as everywhere else: slower, and to the same effect. */
  readonly isLong?: boolean;
  /** Milliseconds by which a Region's clock is ahead. */
  readonly skewMs?: Readonly<Record<string, number>>;
  /** The network as a function sees it: ways between Regions may be cut, or slow. Without, every one as it is. */
  readonly networkOf?: (functionName: string, network: VirtualNetwork) => Surroundings['network'];
  readonly openEngine: (world: VirtualWorld, name: string) => Promise<DatabaseEngine>;
}

export class VirtualWorld implements World {
  readonly clock: VirtualClock;
  readonly isOpen = false;
  readonly network = new VirtualNetwork();
  readonly random: () => number;
  readonly #options: VirtualWorldOptions;
  #dispatch: Dispatch | undefined;
  #tokens = 0;

  constructor(options: VirtualWorldOptions) {
    this.#options = options;
    this.clock = new VirtualClock(options.start);
    this.random = options.random;
  }

  clockOf: World['clockOf'] = (region) => {
    const { clock } = this;
    const ahead = this.#options.skewMs?.[region] ?? 0;
    const { kind, factor, scale, sleep, limit } = clock;
    return ahead === 0 ? clock : { kind, factor, scale, sleep, limit, now: () => clock.now() + ahead };
  };

  createDataDirectory: World['createDataDirectory'] = (parent) => {
    shared ??= createDataDirectory(parent);
    return { path: shared.path, remove() {} };
  };

  dispatching: World['dispatching'] = (dispatch) => {
    this.#dispatch = dispatch;
    return dispatchOnce(dispatch);
  };

  createAuthority = async (): Promise<CertificateAuthority> => noAuthority;

  openEnvironment: World['openEnvironment'] = (options) => {
    const { latencies, networkOf } = this.#options;
    const name = options.variables.AWS_LAMBDA_FUNCTION_NAME ?? '';
    const surroundings = {
      network: cutWays(options.ways, networkOf?.(name, this.network) ?? this.network),
      random: this.random,
      latency: latencies.request,
      dispatch: this.#options.isLong ? undefined : this.#dispatch,
      newToken: () => `token-${++this.#tokens}`,
    };
    return new VirtualEnvironment({ ...options, timers: this.clock, surroundings, initMs: latencies.coldStart });
  };

  openEngine: World['openEngine'] = (_dataDirectory, name) => this.#options.openEngine(this, name);

  startContainer: World['startContainer'] = (image, { env, port }: ContainerOptions): RunningContainer => {
    const { serve } = image;
    if (serve === undefined) throw new Error('the image serves nothing inside a process');
    const { promise: exited, resolve } = Promise.withResolvers<string>();
    const ended = new AbortController();
    void this.clock.limit(this.#options.latencies.containerStart(), ended.signal).then(
      async () => {
        const listening = await this.network.listen(serve({ ...image.env, ...env }), { port });
        if (ended.signal.aborted) void listening.close();
        else ended.signal.addEventListener('abort', () => void listening.close(), { once: true });
      },
      () => undefined, // it ended before it served
    );
    return {
      exited,
      end(signal) {
        ended.abort();
        resolve(signal);
      },
    };
  };
}

/** A connection to a port in a Region that the function's is cut off from meets what a lost route does. */
function cutWays({ own, ports, cuts }: Way, network: Surroundings['network']): Surroundings['network'] {
  const pass = (port: number) => {
    const region = (ports[port] ?? 0) - 1;
    if (region >= 0 && ((cuts[own] ?? 0) & (1 << region)) !== 0)
      throw connectionError('EHOSTUNREACH', `connect EHOSTUNREACH 127.0.0.1:${port}`);
  };
  return {
    async ask(port, question) {
      pass(port);
      return network.ask(port, question);
    },
    connect(port, client) {
      pass(port);
      network.connect(port, client);
    },
    askName: (...asked) => network.askName(...asked),
  };
}

/** One for every cloud of this process, one after another: assets are copied once, and code is loaded from one place. */
let shared: DataDirectory | undefined;

/** Nothing is encrypted inside one process, so nothing is signed. */
const noAuthority: CertificateAuthority = {
  certificate: '',
  issue: async () => ({ key: '', certificate: '' }),
};
