/**
 * One esbuild call bundles every function, with shared chunks, into one asset (NodejsFunction would cost half a second
 * each), from which jobs run too. The environment's settings travel in it as settings.json, the calls that readiness simulates as
 * recovery-calls.json, and a hash of all that is deployed as release.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type BuildOptions, buildSync, type Metafile } from 'esbuild';
import type { RecoveryCalls } from '../core/readiness/calls.ts';
import type { Settings } from '../core/settings.ts';

const root = join(import.meta.dirname, '..');

export interface Bundle {
  /** The asset's directory: <area>/<verb-noun>.mjs, chunks, settings.json, recovery-calls.json, release. */
  readonly directory: string;
  /** Paths of the functions, e.g. `database/restore-database`. */
  readonly functions: readonly string[];
  readonly metafile: Metafile;
}

/** Every handler file, as `<area>/<verb-noun>`. */
export function findFunctions(): string[] {
  const areas = readdirSync(join(root, 'lambdas'), { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && entry.name !== 'adapters',
  );
  return areas
    .flatMap((area) => readdirSync(join(root, 'lambdas', area.name)).map((file) => `${area.name}/${file}`))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
    .sort();
}

/** Bundles into `directory`, which is emptied first. Throws esbuild's messages on failure. */
export function bundleFunctions(settings: Settings, calls: RecoveryCalls, directory: string): Bundle {
  const functions = findFunctions();
  rmSync(directory, { recursive: true, force: true });
  const { metafile } = buildSync(bundleOptions(functions, directory));
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'settings.json'), JSON.stringify(settings));
  writeFileSync(join(directory, 'recovery-calls.json'), JSON.stringify(calls));
  writeFileSync(join(directory, 'release'), releaseOf(directory));
  return { directory, functions, metafile };
}

/** One hash over settings, code and definitions: what a drill rehearses. The same sources yield the same. */
function releaseOf(directory: string): string {
  const hash = createHash('sha256');
  for (const folder of [directory, join(root, 'state-machines')])
    for (const file of filesIn(folder))
      hash
        .update(`${file}\0`)
        .update(readFileSync(join(folder, file)))
        .update('\0');
  return hash.digest('hex').slice(0, 16);
}

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.md'))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();

/** How functions are bundled. */
export function bundleOptions(functions: readonly string[], directory: string) {
  return {
    absWorkingDir: root,
    // What is kept has a file of its own: a shared chunk would hold other code beside it.
    entryPoints: [...functions, 'run-job', 'check-plan', 'list-imports', 'kept'].map((path) => ({
      in: `lambdas/${path}.ts`,
      out: path,
    })),
    outdir: directory,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    // On Lambda credentials come from the environment: the chain of every other source is 150 KB of dead weight.
    alias: {
      '@aws-sdk/credential-provider-node': join(root, 'lambdas/adapters/aws/lambda-credentials.ts'),
      pg: join(root, 'lambdas/adapters/postgres/only-client.cjs'),
      'node:http': join(root, 'lambdas/adapters/http/node-http.cjs'),
    },
    minify: true,
    metafile: true,
    logLevel: 'error',
    // Packages that still use require() (pg) need one in an ES module.
    banner: { js: "import{createRequire as __r}from'node:module';const require=__r(import.meta.url);" },
  } satisfies BuildOptions;
}
