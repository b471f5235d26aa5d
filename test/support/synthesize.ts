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

export default async function setup(project: TestProject): Promise<() => void> {
  const directory = mkdtempSync(join(tmpdir(), 'stocker-dr-test-'));
  const [production, staging] = await Promise.all([
    synthesize('production', join(directory, 'production')),
    synthesize('staging', join(directory, 'staging')),
  ]);
  project.provide('assemblies', { production, staging });
  return () => rmSync(directory, { recursive: true, force: true });
}
