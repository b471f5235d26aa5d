/** Reads a cloud assembly (cdk.out) as the CDK writes it: which stacks it holds, for which account and Region, in which order. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Template } from './template.ts';

export interface Stack {
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly template: Template;
  readonly assemblyDirectory: string;
}

interface Manifest {
  readonly artifacts?: Readonly<Record<string, Artifact>>;
}
interface Artifact {
  readonly type: string;
  readonly environment?: string;
  readonly displayName?: string;
  readonly dependencies?: readonly string[];
  readonly properties?: { readonly templateFile?: string; readonly stackName?: string; readonly file?: string };
}

/** The stacks of an assembly, each after those it depends on. Throws when a stack names no account or no Region. */
export function readStacks(assemblyDirectory: string): readonly Stack[] {
  const artifacts = readManifest(assemblyDirectory).artifacts ?? {};
  const ordered: Stack[] = [];
  const seen = new Set<string>();
  const visit = (id: string) => {
    if (seen.has(id)) return;
    seen.add(id);
    const artifact = artifacts[id];
    for (const dependency of artifact?.dependencies ?? []) visit(dependency);
    if (artifact?.type === 'aws:cloudformation:stack') ordered.push(readStack(assemblyDirectory, id, artifact));
    if (artifact?.type === 'cdk:cloud-assembly') {
      throw new Error(
        `${assemblyDirectory}: nested assembly ${id} (a CDK Stage) is not supported: deploy its own directory`,
      );
    }
  };
  for (const id of Object.keys(artifacts)) visit(id);
  return ordered;
}

/** The files that list the assembly's assets. */
export function assetManifests(assemblyDirectory: string): readonly string[] {
  return Object.values(readManifest(assemblyDirectory).artifacts ?? {}).flatMap((artifact) =>
    artifact.type === 'cdk:asset-manifest' && artifact.properties?.file !== undefined
      ? [join(assemblyDirectory, artifact.properties.file)]
      : [],
  );
}

function readManifest(assemblyDirectory: string): Manifest {
  return readJson(join(assemblyDirectory, 'manifest.json')) as Manifest;
}

function readStack(assemblyDirectory: string, id: string, artifact: Artifact): Stack {
  const name = artifact.properties?.stackName ?? id;
  const [, account, region] = /^aws:\/\/(\d{12})\/([a-z0-9-]+)$/.exec(artifact.environment ?? '') ?? [];
  if (account === undefined || region === undefined || region === 'unknown-region') {
    throw new Error(`stack ${name}: its environment is ${artifact.environment}: give it an account and a Region (env)`);
  }
  const templateFile = join(assemblyDirectory, artifact.properties?.templateFile ?? `${id}.template.json`);
  return { name, account, region, template: readJson(templateFile) as Template, assemblyDirectory };
}

/** What a file holds, read once as long as it is the same: nobody changes what was read. */
export function readJson(file: string): unknown {
  const { mtimeMs, size } = statSync(file);
  const known = read.get(file);
  if (known?.mtimeMs === mtimeMs && known.size === size) return known.content;
  const content: unknown = JSON.parse(readFileSync(file, 'utf8'));
  read.set(file, { mtimeMs, size, content });
  return content;
}

const read = new Map<string, { readonly mtimeMs: number; readonly size: number; readonly content: unknown }>();
