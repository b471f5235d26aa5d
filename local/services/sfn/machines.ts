/** State machines: made by stacks, checked when they are made. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { AwsError, type Home, type ResourceContext, type ResourceResult } from '../../kernel.ts';
import { rememberedOf } from '../../remembered.ts';
import type { Definition } from '../../states/definition.ts';
import { InvalidDefinition } from '../../states/errors.ts';
import { parseDefinition } from '../../states/validate.ts';
import { notImplemented } from '../declare.ts';
import { integrationProblems } from './integrations.ts';
import { checkName, machineArn } from './names.ts';

export interface Machine {
  readonly arn: string;
  readonly name: string;
  readonly roleArn: string;
  /** As given, substitutions made: what DescribeStateMachine answers. */
  readonly text: string;
  readonly definition: Definition;
  readonly revisionId: string;
  readonly createdAt: Date;
  readonly loggingConfiguration: Readonly<Record<string, unknown>> | undefined;
  readonly tracingEnabled: boolean;
  readonly tags: readonly { readonly key: string; readonly value: string }[];
}

export interface MachineProperties {
  StateMachineName?: string;
  StateMachineType?: string;
  RoleArn: string;
  Definition?: object;
  DefinitionString?: string;
  DefinitionS3Location?: { Bucket: string; Key: string; Version?: string };
  DefinitionSubstitutions?: Record<string, unknown>;
  LoggingConfiguration?: Record<string, unknown>;
  TracingConfiguration?: { Enabled?: boolean | string };
  Tags?: { Key: string; Value: string }[];
}

export const machineProperties = [
  'StateMachineName',
  'StateMachineType',
  'RoleArn',
  'Definition',
  'DefinitionString',
  'DefinitionS3Location',
  'DefinitionSubstitutions',
  'LoggingConfiguration',
  'TracingConfiguration',
  'Tags',
] as const;

export class Machines {
  readonly #home: Home;
  readonly #byArn = new Map<string, Machine>();

  constructor(home: Home) {
    this.#home = home;
  }

  all(): readonly Machine[] {
    return [...this.#byArn.values()];
  }

  get(arn: string): Machine {
    const machine = this.#byArn.get(arn);
    if (machine) return machine;
    throw new AwsError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
  }

  /** Throws AwsError InvalidDefinition naming every problem. */
  async create(given: MachineProperties, context: ResourceContext): Promise<ResourceResult> {
    if ((given.StateMachineType ?? 'STANDARD') !== 'STANDARD')
      throw notImplemented(`${context.logicalId}: state machines of type ${given.StateMachineType}`);
    const name = checkName(given.StateMachineName ?? generatedName(context));
    const arn = machineArn(this.#home.region, this.#home.account, name);
    if (this.#byArn.has(arn)) throw new AwsError('StateMachineAlreadyExists', `State Machine Already Exists: '${arn}'`);
    const { text, revisionId } = textOf(given, context);
    const machine: Machine = {
      arn,
      name,
      roleArn: given.RoleArn,
      text,
      definition: await checkedDefinition(text, context.logicalId),
      revisionId,
      createdAt: new Date(this.#home.clock.now()),
      loggingConfiguration: given.LoggingConfiguration && lowerFirst(given.LoggingConfiguration),
      tracingEnabled: String(given.TracingConfiguration?.Enabled ?? false) === 'true',
      tags: (given.Tags ?? []).map(({ Key, Value }) => ({ key: Key, value: Value })),
    };
    this.#byArn.set(arn, machine);
    return { ref: arn, attributes: { Arn: arn, Name: name, StateMachineRevisionId: machine.revisionId } };
  }

  /** Executions that run keep the definition that they began with. */
  async update(arn: string, change: { readonly definition?: string; readonly roleArn?: string }): Promise<Machine> {
    const machine = this.get(arn);
    const { definition: text = machine.text, roleArn = machine.roleArn } = change;
    const definition = await checkedDefinition(text, machine.name);
    const updated = { ...machine, text, definition, roleArn, revisionId: revisionOf(text) };
    this.#byArn.set(arn, updated);
    return updated;
  }
}

const revisionOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 32);

/** The definition, once it is known to run here. Throws AwsError InvalidDefinition. */
export async function checkedDefinition(text: string, what: string): Promise<Definition> {
  const known = checked.get(text);
  if (known !== undefined) return known;
  try {
    const definition = parseDefinition(text);
    const problems = await integrationProblems(definition);
    if (problems.length > 0) throw new InvalidDefinition(problems);
    if (checked.size >= mostChecked) checked.clear();
    checked.set(text, definition);
    return definition;
  } catch (error) {
    if (error instanceof InvalidDefinition)
      throw new AwsError('InvalidDefinition', `Invalid State Machine Definition: '${what}: ${error.message}'`);
    throw error;
  }
}

/** Every cloud of a process is given the same few. */
const checked = new Map<string, Definition>();
const mostChecked = 100;

const generatedName = ({ stackName, logicalId }: ResourceContext): string =>
  `${logicalId.slice(0, 60)}-${createHash('sha256').update(`${stackName}/${logicalId}`).digest('hex').slice(0, 12)}`;

interface Text {
  readonly text: string;
  readonly revisionId: string;
}

const textOf = rememberedOf((given: MachineProperties, context: ResourceContext): Text => {
  const text = substitute(definitionText(given, context), given.DefinitionSubstitutions ?? {}, context);
  return { text, revisionId: revisionOf(text) };
});

function definitionText(given: MachineProperties, { assemblyDirectory, logicalId }: ResourceContext) {
  if (given.DefinitionString !== undefined) return given.DefinitionString;
  if (given.Definition !== undefined) return JSON.stringify(given.Definition);
  const key = given.DefinitionS3Location?.Key;
  // An asset's object is `<hash>.json`; the assembly that synth writes holds it as `asset.<hash>.json`.
  if (key === undefined || !/^[0-9a-f]+\.[a-z]+$/.test(key))
    throw notImplemented(`${logicalId}: a definition that is neither inline nor an asset of the assembly`);
  return readFileSync(path.join(assemblyDirectory, `asset.${key}`), 'utf8');
}

/** CloudFormation leaves a `${name}` that it does not know as it is: here that is an error. */
function substitute(text: string, values: Readonly<Record<string, unknown>>, { logicalId }: ResourceContext): string {
  return text.replace(/\$\{([^}]+)\}/g, (whole, name: string) => {
    if (name in values) return String(values[name]);
    throw new AwsError('InvalidDefinition', `${logicalId}: DefinitionSubstitutions has nothing for ${whole}`);
  });
}

/** CloudFormation spells members with a capital, the API without. */
function lowerFirst(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const lower = (item: unknown): unknown =>
    Array.isArray(item)
      ? item.map(lower)
      : typeof item === 'object' && item !== null
        ? lowerFirst(item as Record<string, unknown>)
        : item;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name.charAt(0).toLowerCase() + name.slice(1), lower(item)]),
  );
}
