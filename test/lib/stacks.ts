/** The four synthesized stacks, and a way to state a rule about them that is proved able to fail. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { configurationOf } from '../../config/index.ts';
import type { Configuration } from '../../config/schema.ts';

// biome-ignore lint/suspicious/noExplicitAny: templates are JSON of every shape
export type Properties = Record<string, any>;
export interface Resource {
  readonly Type: string;
  readonly Properties: Properties;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}
export interface Stack {
  readonly name: string;
  readonly environment: string;
  readonly role: 'primary' | 'dr';
  readonly region: string;
  readonly configuration: Configuration;
  readonly template: { readonly Resources: Record<string, Resource>; readonly Outputs?: Properties };
}

const read = (file: string) => JSON.parse(readFileSync(file, 'utf8'));

/** Where the cloud assembly of an environment lies. */
export function assemblyOf(environment: string): string {
  const assemblies: Readonly<Record<string, string>> = inject('assemblies');
  const directory = assemblies[environment];
  if (directory === undefined) throw new Error(`${environment} was not synthesized`);
  return directory;
}

export const synthesized: readonly string[] = Object.keys(inject('assemblies'));

/** Both Regions of every environment. */
export const stacks: readonly Stack[] = synthesized.flatMap((environment) => {
  const configuration = configurationOf(environment);
  return (['primary', 'dr'] as const).map((role) => {
    const { region } = configuration[role];
    const name = `StockerDr-${environment}-${region}`;
    const template = read(join(assemblyOf(environment), `${name}.template.json`));
    return { name, environment, role, region, configuration, template };
  });
});

/** The asset directory of the functions, or the file of the state machine, as the stack's asset manifest names them. */
export function assetsOf({ name, environment }: Stack, displayName: string): string {
  const directory = assemblyOf(environment);
  const { files } = read(join(directory, `${name}.assets.json`)) as {
    files: Record<string, { displayName: string; source: { path: string } }>;
  };
  const found = Object.values(files).find((file) => file.displayName.includes(displayName));
  if (!found) throw new Error(`${name} has no asset ${displayName}: ${readdirSync(directory).join(' ')}`);
  return join(directory, found.source.path);
}

/** Resources of one type, by logical id. */
export function resourcesOf({ template }: Pick<Stack, 'template'>, type: string): readonly [string, Resource][] {
  return Object.entries(template.Resources).filter(([, { Type }]) => Type === type);
}

/** Properties of the only resource of a type whose properties match. */
export function only(stack: Stack, type: string, matching: (properties: Properties) => boolean = () => true) {
  const found = resourcesOf(stack, type).filter(([, { Properties }]) => matching(Properties));
  const [first, ...others] = found;
  if (!first || others.length > 0) throw new Error(`${stack.name} has ${found.length} such ${type}, not one`);
  return { id: first[0], resource: first[1], properties: first[1].Properties };
}

/** An intrinsic as text: `Ref` and `Fn::GetAtt` by the logical id they point at, `Fn::Join` joined. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  const intrinsic = value as Properties;
  if (typeof intrinsic.Ref === 'string') return `{${intrinsic.Ref}}`;
  if (intrinsic['Fn::GetAtt']) return `{${intrinsic['Fn::GetAtt'][0]}}`;
  if (intrinsic['Fn::Join']) return intrinsic['Fn::Join'][1].map(textOf).join(intrinsic['Fn::Join'][0]);
  throw new Error(`no text: ${JSON.stringify(value)}`);
}

/** The logical id that a `Ref` or `Fn::GetAtt` points at. */
export const targetOf = (value: unknown): string => textOf(value).replace(/^\{(.*)\}$/, '$1');

/** One thing that must hold of every stack. */
export interface Rule {
  readonly case: string;
  /** What breaks the rule; nothing where it holds. */
  find(stack: Stack): readonly string[];
  /** Breaks the rule in a copy: what `find` then must see. */
  broken(stack: Stack): void;
  /** Where the rule applies; everywhere by default. */
  readonly where?: (stack: Stack) => boolean;
}

/** Every rule in every stack, and beside it the control that it can fail there. */
export function describeRules(title: string, rules: readonly Rule[]): void {
  describe.each(stacks)(`${title}: $name`, (stack) => {
    const here = rules.filter(({ where = () => true }) => where(stack));
    it.each(here)('$case', ({ find }) => expect(find(stack)).toEqual([]));
    it.each(here)('(control) sees it broken: $case', ({ find, broken }) => {
      const copy = structuredClone(stack);
      broken(copy);
      expect(find(copy)).not.toEqual([]);
    });
  });
}
