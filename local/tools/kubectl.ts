/** STAND-IN for kubectl: kustomize, apply, diff, namespaces, and the deletion of a deployment or a service, against the cluster of the kubeconfig. */
import { readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import { accept, optionOf, refusal, runTool, ToolError } from './arguments.ts';
import { type Answer, connect, type Kubernetes } from './kubeconfig.ts';
import { buildOverlay, type KubernetesManifest } from './kustomize.ts';

function say(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

const render = (directory: string) =>
  buildOverlay(directory)
    .map((manifest) => stringify(manifest))
    .join('---\n');

/** What `-k DIRECTORY` builds, or `-f FILE` lists. */
function objectsOf(argv: readonly string[]): KubernetesManifest[] {
  const given = accept('kubectl', argv, { words: 0, options: ['-k', '-f'] });
  if (given.values.has('-k')) return buildOverlay(optionOf(given, 'kubectl', '-k'));
  const document = parse(readFileSync(optionOf(given, 'kubectl', '-f'), 'utf8')) as KubernetesManifest;
  return document.kind === 'List' ? document.items : [document];
}

async function apply(objects: readonly KubernetesManifest[], call: Kubernetes): Promise<number> {
  const paths = new Paths(call);
  for (const object of objects) {
    const path = await paths.of(object);
    const before = await call('GET', path);
    const after = checked(await call('PATCH', `${path}?fieldManager=kubectl&force=true`, object), path);
    const isChanged = before.body?.metadata?.resourceVersion !== after.body.metadata.resourceVersion;
    say(`${nameOf(object)} ${before.status === 404 ? 'created' : isChanged ? 'configured' : 'unchanged'}`);
  }
  return 0;
}

/**
 * Exit 1: applying the overlay would change something, as the server says without keeping it. What others added beside it is
 * no difference. As with kubectl, a namespace that is not there is an error (kubernetes/kubectl issue 1331).
 */
async function diff(objects: readonly KubernetesManifest[], call: Kubernetes): Promise<number> {
  const paths = new Paths(call);
  let isDifferent = false;
  for (const object of objects) {
    const path = await paths.of(object);
    const live = await call('GET', path);
    if (live.status !== 404) checked(live, path);
    const merged = checked(
      await call('PATCH', `${path}?fieldManager=kubectl&force=true&dryRun=All`, object),
      path,
    ).body;
    const differences = live.status === 404 ? ['(absent)'] : differencesOf(live.body, merged);
    if (differences.length === 0) continue;
    isDifferent = true;
    say(`diff ${nameOf(object)}\n${differences.map((each) => `  ${each}`).join('\n')}`);
  }
  return isDifferent ? 1 : 0;
}

const deletable: Readonly<Record<string, { readonly path: string; readonly qualified: string }>> = {
  deployment: { path: '/apis/apps/v1', qualified: 'deployments.apps' },
  service: { path: '/api/v1', qualified: 'services' },
};

async function deleteOne(kind: string, argv: readonly string[], call: Kubernetes): Promise<number> {
  const { path: root = '', qualified = '' } = deletable[kind] ?? {};
  const given = accept('kubectl', argv, { words: 1, options: ['--namespace'] });
  const [name = ''] = given.words;
  const path = `${root}/namespaces/${optionOf(given, 'kubectl', '--namespace')}/${kind}s/${name}`;
  const answer = await call('DELETE', path);
  if (answer.status === 404) throw new ToolError(`${qualified} "${name}" not found`);
  checked(answer, path);
  return say(`${kind} "${name}" deleted`);
}

async function createNamespace(argv: readonly string[], call: Kubernetes): Promise<number> {
  const name = accept('kubectl', argv, { words: 1 }).words[0] ?? '';
  const answer = await call('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  if (answer.status === 409) throw new ToolError(`namespaces "${name}" already exists`);
  checked(answer, name);
  return say(`namespace/${name} created`);
}

const nameOf = ({ kind, metadata }: KubernetesManifest) => `${String(kind).toLowerCase()}/${metadata.name}`;

/** What only the server sets, and what it says of the state of things. */
const ofTheServer = ['resourceVersion', 'generation', 'uid', 'creationTimestamp', 'managedFields'];

function differencesOf(live: KubernetesManifest, merged: KubernetesManifest): string[] {
  const compared = ({ status: _, metadata, ...rest }: KubernetesManifest) => ({
    ...rest,
    metadata: Object.fromEntries(Object.entries(metadata).filter(([name]) => !ofTheServer.includes(name))),
  });
  const lines = pathsThatDiffer(compared(live), compared(merged), '');
  // As kubectl has it: of a Secret, that it differs, and never by what.
  return merged.kind === 'Secret' ? lines.map((line) => line.split(':')[0] ?? '') : lines;
}

function pathsThatDiffer(live: unknown, merged: unknown, path: string): string[] {
  if (isTree(live) && isTree(merged) && Array.isArray(live) === Array.isArray(merged))
    return [...new Set([...Object.keys(live), ...Object.keys(merged)])].flatMap((key) =>
      pathsThatDiffer(live[key], merged[key], path ? `${path}.${key}` : key),
    );
  return live === merged ? [] : [`${path}: -${JSON.stringify(live)} +${JSON.stringify(merged)}`];
}

const isTree = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

function checked(answer: Answer, what: string): Answer {
  if (answer.status >= 200 && answer.status < 300) return answer;
  throw new ToolError(`${what}: ${answer.status} ${answer.body?.message ?? ''}`);
}

/** Where objects of a kind are, by the server's own discovery. */
class Paths {
  readonly #call: Kubernetes;
  readonly #kinds = new Map<string, Promise<{ name: string; kind: string; namespaced: boolean }[]>>();
  constructor(call: Kubernetes) {
    this.#call = call;
  }

  async of({ apiVersion, kind, metadata }: KubernetesManifest): Promise<string> {
    const root = String(apiVersion).includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const known =
      this.#kinds.get(root) ?? this.#call('GET', root).then((answer) => checked(answer, root).body.resources);
    this.#kinds.set(root, known);
    const found = (await known).find((each: { kind: string }) => each.kind === kind);
    if (!found) throw new ToolError(`no matches for kind "${kind}" in version "${apiVersion}"`);
    const namespace = found.namespaced ? `/namespaces/${metadata.namespace ?? 'default'}` : '';
    return `${root}${namespace}/${found.name}/${metadata.name}`;
  }
}

await runTool('kubectl', async (argv) => {
  const [command, ...rest] = argv;
  if (command === 'version') {
    accept('kubectl', rest, { words: 0, flags: ['--client'] });
    return say('Client Version: STAND-IN');
  }
  if (command === 'kustomize') return say(render(accept('kubectl', rest, { words: 1 }).words[0] ?? ''));
  if (command === 'apply') return apply(objectsOf(rest), await connect());
  if (command === 'diff')
    return connect()
      .then((call) => diff(objectsOf(rest), call))
      .catch((error: Error) => {
        // 1 says that something differs.
        throw new ToolError(error.message, 2);
      });
  const [kind = '', ...more] = rest;
  if (command === 'delete' && Object.hasOwn(deletable, kind)) return deleteOne(kind, more, await connect());
  if (command === 'create' && kind === 'namespace') return createNamespace(more, await connect());
  throw refusal('kubectl', `${command}`);
});
