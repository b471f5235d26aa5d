/** A buildspec as CodeBuild reads it: version 0.2, YAML or JSON. */

import { parse } from 'yaml';
import { AwsError } from '../../kernel.ts';
import { remembered } from '../../remembered.ts';
import { refuseUnknown } from '../declare.ts';

/** In the order they run. */
export const COMMAND_PHASES = ['install', 'pre_build', 'build', 'post_build'] as const;
export type CommandPhase = (typeof COMMAND_PHASES)[number];

export interface Phase {
  readonly commands: readonly string[];
  /** Runs also when a command failed. */
  readonly finally: readonly string[];
  readonly onFailure: 'ABORT' | 'CONTINUE';
}
export interface Buildspec {
  readonly shell: 'sh' | 'bash';
  readonly variables: Readonly<Record<string, string>>;
  /** Variable to parameter name. */
  readonly parameterStore: Readonly<Record<string, string>>;
  /** Variable to `secret-id:json-key:version-stage:version-id`. */
  readonly secretsManager: Readonly<Record<string, string>>;
  readonly exportedVariables: readonly string[];
  readonly phases: Readonly<Partial<Record<CommandPhase, Phase>>>;
}

interface Document {
  version?: number | string;
  env?: Record<string, unknown>;
  phases?: Record<string, Record<string, unknown>>;
  artifacts?: unknown;
}

/** Every cloud of a process is given the same few. */
/** Throws InvalidInputException naming what is wrong. */
export const parseBuildspec = remembered(read);

function read(text: string): Buildspec {
  const document = parse(text) as Document | null;
  if (!document || typeof document !== 'object') throw invalid('it is empty');
  if (String(document.version) !== '0.2') throw invalid(`version ${document.version} is not 0.2`);
  refuseUnknown('The buildspec', document, ['version', 'env', 'phases']);
  const env = document.env ?? {};
  refuseUnknown('env of the buildspec', env, [
    'shell',
    'variables',
    'parameter-store',
    'secrets-manager',
    'exported-variables',
  ]);
  const shell = env.shell ?? 'sh';
  if (shell !== 'sh' && shell !== 'bash') throw invalid(`shell ${shell} is neither sh nor bash`);
  return {
    shell,
    variables: strings(env.variables),
    parameterStore: strings(env['parameter-store']),
    secretsManager: strings(env['secrets-manager']),
    exportedVariables: (env['exported-variables'] as string[] | undefined) ?? [],
    phases: Object.fromEntries(
      Object.entries(document.phases ?? {}).map(([name, phase]) => [phaseName(name), phaseOf(name, phase ?? {})]),
    ),
  };
}

function phaseName(name: string): CommandPhase {
  const known = COMMAND_PHASES.find((each) => each === name);
  if (!known) throw invalid(`phase ${name} is unknown`);
  return known;
}

function phaseOf(name: string, phase: Record<string, unknown>): Phase {
  // Runtimes come with the machine that runs this cloud: the running Node is in the PATH.
  refuseUnknown(`phase ${name}`, phase, ['commands', 'finally', 'on-failure', 'runtime-versions']);
  const onFailure = phase['on-failure'] ?? (name === 'build' ? 'CONTINUE' : 'ABORT');
  if (onFailure !== 'ABORT' && onFailure !== 'CONTINUE')
    throw invalid(`on-failure ${onFailure} of phase ${name} is neither ABORT nor CONTINUE`);
  return { commands: commands(phase.commands), finally: commands(phase.finally), onFailure };
}

const commands = (value: unknown): string[] =>
  Array.isArray(value) ? value.map(String) : value === undefined ? [] : [String(value)];

const strings = (value: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries((value ?? {}) as Record<string, unknown>).map(([name, each]) => [name, String(each)]),
  );

const invalid = (why: string): AwsError => new AwsError('InvalidInputException', `Invalid buildspec: ${why}`);
