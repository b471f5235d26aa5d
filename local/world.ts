/**
 * Where a cloud touches what it runs on: time, sockets, processes, threads, PostgreSQL. The machine's world is here; the
 * one that has all of it inside one process, on a virtual clock, is in virtual/.
 */
import { type CertificateAuthority, createCertificateAuthority } from './certificates.ts';
import { type Environment, type EnvironmentOptions, ExecutionEnvironment } from './functions/environment.ts';
import { isShareable, SharedThread } from './functions/shared-thread.ts';
import type { Clock, ContainerImage } from './kernel.ts';
import { loopback, type Network } from './network.ts';
import { endChild, spawnChild } from './process/children.ts';
import { createDataDirectory, type DataDirectory } from './process/data-directory.ts';
import type { DatabaseEngine } from './services/rds/engine.ts';
import { openPostgresEngine } from './services/rds/postgres-engine.ts';
import type { Dispatch } from './wire/server.ts';

export interface World {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** Whether others than the cloud's own functions can call it: then signatures are verified. */
  readonly isOpen: boolean;
  readonly network: Network;
  /** A Region's own clock; they may differ a little, as clocks do. */
  clockOf(region: string): Clock;
  /** Where a new cloud keeps its files, within `parent`. */
  createDataDirectory(parent: string): DataDirectory;
  /** What the wire calls: a world may stand between. */
  dispatching(dispatch: Dispatch): Dispatch;
  createAuthority(): Promise<CertificateAuthority>;
  /** What runs one invocation of a function at a time. */
  openEnvironment(options: EnvironmentOptions): Environment;
  /** `name` sets an engine's files in the data directory apart from others'. */
  openEngine(dataDirectory: string, name: string): Promise<DatabaseEngine>;
  startContainer(image: ContainerImage, options: ContainerOptions): RunningContainer;
}

export interface ContainerOptions {
  readonly dataDirectory: string;
  /** Instead of the image's, and after it. */
  readonly command?: readonly string[] | undefined;
  readonly args?: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** Where it is to listen. */
  readonly port: number;
  readonly onOutput: (text: string) => void;
}

export interface RunningContainer {
  /** Resolves with how it ended: an exit code or a signal. */
  readonly exited: Promise<number | string | null>;
  end(signal: 'SIGTERM' | 'SIGKILL'): void;
}

export interface MachineOptions {
  /** Whether functions whose assets allow it share one thread: faster, and without their limits of memory. */
  readonly sharesThread?: boolean;
}

/** Worker threads, child processes, real PostgreSQL. */
export function machineWorld(clock: Clock, { sharesThread = false }: MachineOptions = {}): World {
  const shared = new SharedThread();
  return {
    clock,
    random: Math.random,
    isOpen: true,
    clockOf: () => clock,
    network: loopback,
    createDataDirectory,
    dispatching: (dispatch) => dispatch,
    createAuthority: createCertificateAuthority,
    openEnvironment: (options) =>
      sharesThread && isShareable(options.taskRoot)
        ? new ExecutionEnvironment(options, shared.open)
        : new ExecutionEnvironment(options),
    openEngine: openPostgresEngine,
    startContainer(image, { dataDirectory, command, args = [], env, port, onOutput }) {
      if (image.command === undefined) throw new Error('the image has no command that a process could run');
      const [program = '', ...rest] = [...(command ?? image.command), ...args];
      const options = { env: { ...image.env, ...env, PORT: String(port) }, stdio: ['ignore', 'pipe', 'pipe'] as const };
      const child = spawnChild(dataDirectory, program, rest, { ...options, stdio: [...options.stdio] });
      for (const stream of [child.stdout, child.stderr])
        stream?.on('data', (chunk: Buffer) => onOutput(chunk.toString()));
      const exited = new Promise<number | string | null>((resolve) => {
        child.once('exit', (code, signal) => resolve(code ?? signal)).once('error', () => resolve(null));
      });
      return { exited, end: (signal) => void endChild(child, signal) };
    },
  };
}
