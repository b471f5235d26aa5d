/** Once per run: both environments, synthesized by the CDK command line as a deployment would be. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { synthesize } from '../../cli/synthesize.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Directories of the cloud assemblies. */
    assemblies: { readonly production: string; readonly staging: string };
  }
}

interface Synthesized {
  readonly directory: string;
  readonly production: string;
  readonly staging: string;
}

async function synthesizeBoth(): Promise<Synthesized> {
  const directory = mkdtempSync(join(tmpdir(), 'stocker-dr-test-'));
  const [production, staging] = await Promise.all([
    synthesize('production', join(directory, 'production')),
    synthesize('staging', join(directory, 'staging')),
  ]);
  return { directory, production, staging };
}

/** Each project of the run loads this file anew, in the same process. */
const run = globalThis as typeof globalThis & { synthesized?: Promise<Synthesized> };

export default async function setup(project: TestProject): Promise<() => void> {
  run.synthesized ??= synthesizeBoth();
  const { directory, production, staging } = await run.synthesized;
  project.provide('assemblies', { production, staging });
  return () => rmSync(directory, { recursive: true, force: true });
}
