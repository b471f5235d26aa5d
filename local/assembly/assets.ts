/**
 * File assets of an assembly, published once by their key into the cloud's data directory, as the CDK publishes
 * them into the bootstrap bucket: what runs leans on nothing of the repository. A zip asset stays a directory.
 */
import { cpSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { assetManifests, readJson } from './manifest.ts';

interface AssetManifest {
  readonly files?: Readonly<Record<string, FileAsset>>;
  readonly dockerImages?: Readonly<Record<string, unknown>>;
}
interface FileAsset {
  readonly source: { readonly path?: string; readonly executable?: readonly string[]; readonly packaging?: string };
  readonly destinations: Readonly<Record<string, { readonly objectKey: string }>>;
}

/** Copies the assets that are not there yet. Templates are assets too, but nothing runs them. */
export function publishAssets(assemblyDirectory: string, dataDirectory: string): void {
  for (const file of assetManifests(assemblyDirectory)) {
    const manifest = readJson(file) as AssetManifest;
    const [image] = Object.keys(manifest.dockerImages ?? {});
    if (image !== undefined) throw new Error(`${file}: the container image asset ${image} is not supported`);
    for (const [id, asset] of Object.entries(manifest.files ?? {})) {
      const path = asset.source.path;
      if (path === undefined) throw new Error(`${file}: asset ${id} is made by a command, which is not supported`);
      if (path.endsWith('.template.json')) continue;
      for (const { objectKey } of Object.values(asset.destinations)) {
        publish(join(assemblyDirectory, path), locationOf(dataDirectory, objectKey));
      }
    }
  }
}

const there = new Set<string>();

/** Where the asset with this object key lies: a directory for a zip, else a file. Throws when it was not published. */
export function publishedAsset(dataDirectory: string, objectKey: string): string {
  const location = locationOf(dataDirectory, objectKey);
  // What was published stays.
  if (!there.has(location) && !existsSync(location))
    throw new Error(`the asset ${objectKey} is in no assembly that is deployed`);
  there.add(location);
  return location;
}

function locationOf(dataDirectory: string, objectKey: string): string {
  return join(dataDirectory, 'assets', objectKey.replace(/\.zip$/, ''));
}

function publish(source: string, location: string): void {
  if (existsSync(location)) return;
  mkdirSync(dirname(location), { recursive: true });
  // Renamed when complete, so that an asset that exists is whole.
  cpSync(source, `${location}.partial`, { recursive: true, dereference: true });
  renameSync(`${location}.partial`, location);
}
