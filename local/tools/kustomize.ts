/** The part of Kustomize that the overlays here use: resources, one namespace, images. Anything else is refused by name. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { ToolError } from './arguments.ts';

// biome-ignore lint/suspicious/noExplicitAny: Kubernetes objects of every kind
export type KubernetesManifest = Record<string, any>;

interface Kustomization {
  readonly namespace?: string;
  readonly resources?: readonly string[];
  readonly images?: readonly { name: string; newName?: string; newTag?: string; digest?: string }[];
}

const known = ['apiVersion', 'kind', 'namespace', 'resources', 'images'];
const clusterScoped = ['Namespace', 'ClusterRole', 'ClusterRoleBinding'];

/** Every object of an overlay, in the order of its resources. Throws ToolError where it cannot be built. */
export function buildOverlay(directory: string): KubernetesManifest[] {
  const file = join(directory, 'kustomization.yaml');
  const kustomization = readYaml(file) as Kustomization;
  const unknown = Object.keys(kustomization).find((name) => !known.includes(name));
  if (unknown) throw new ToolError(`${file}: this stand-in knows no ${unknown}`);
  const { namespace, images = [], resources = [] } = kustomization;
  return resources
    .flatMap((resource) => load(join(directory, resource)))
    .map((manifest) => withNamespace(manifest, namespace))
    .map((manifest) => withImages(manifest, images) as KubernetesManifest);
}

function load(path: string): KubernetesManifest[] {
  let isDirectory: boolean;
  try {
    isDirectory = statSync(path).isDirectory();
  } catch {
    throw new ToolError(`accumulating resources: no such file or directory: ${path}`);
  }
  if (isDirectory) return buildOverlay(path);
  return parseAllDocuments(readFileSync(path, 'utf8')).map((document) => {
    if (document.errors.length > 0) throw new ToolError(`${path}: ${document.errors[0]?.message}`);
    const manifest = document.toJS() as KubernetesManifest | null;
    if (!manifest?.apiVersion || !manifest.kind) throw new ToolError(`${path}: a document is no Kubernetes object`);
    return manifest;
  });
}

function withNamespace(manifest: KubernetesManifest, namespace: string | undefined): KubernetesManifest {
  if (namespace === undefined || clusterScoped.includes(String(manifest.kind))) return manifest;
  return { ...manifest, metadata: { ...manifest.metadata, namespace } };
}

/** Every `image` in a pod's containers whose name is one of these. */
function withImages(value: unknown, images: NonNullable<Kustomization['images']>): unknown {
  if (Array.isArray(value)) return value.map((each) => withImages(each, images));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => {
      const image = key === 'image' ? images.find(({ name }) => String(each).split(/[:@]/)[0] === name) : undefined;
      if (image === undefined) return [key, withImages(each, images)];
      const suffix = image.digest ? `@${image.digest}` : image.newTag ? `:${image.newTag}` : '';
      return [key, `${image.newName ?? image.name}${suffix}`];
    }),
  );
}

function readYaml(file: string): object {
  try {
    return (parse(readFileSync(file, 'utf8')) ?? {}) as object;
  } catch (error) {
    throw new ToolError(`unable to read ${file}: ${error instanceof Error ? error.message : error}`);
  }
}
