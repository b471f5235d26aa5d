/** The ways to patch an object: JSON merge, strategic merge, and server-side apply with one set of applied fields per manager. */
import { isDeepStrictEqual } from 'node:util';

type Tree = Record<string, unknown>;

/** By which member the elements of a list are told apart (Kubernetes' `patchMergeKey`); other lists are replaced whole. */
const MERGE_KEYS: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  env: 'name',
  volumes: 'name',
  volumeMounts: 'mountPath',
  imagePullSecrets: 'name',
  conditions: 'type',
  ownerReferences: 'uid',
};
/** `ports` of a container are told apart by containerPort, those of a service by port. */
const mergeKeyOf = (name: string, elements: readonly unknown[]): string | undefined =>
  name === 'ports'
    ? elements.some((each) => isTree(each) && 'containerPort' in each)
      ? 'containerPort'
      : 'port'
    : MERGE_KEYS[name];

/** RFC 7386: null removes, objects merge, everything else replaces. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isTree(patch)) return patch;
  const result: Tree = isTree(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = mergePatch(result[name], value);
  }
  return result;
}

/** As merge, but lists with a merge key merge by it, and `$patch: delete | replace` is obeyed. */
export function strategicMerge(target: unknown, patch: unknown): unknown {
  if (!isTree(patch)) return patch;
  if (patch.$patch === 'replace') return without(patch, '$patch');
  const result: Tree = isTree(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    const mergeKey = Array.isArray(value) ? mergeKeyOf(name, value) : undefined;
    if (value === null) delete result[name];
    else if (mergeKey && Array.isArray(value)) result[name] = mergeList(result[name], value, mergeKey);
    else result[name] = strategicMerge(result[name], value);
  }
  return result;
}

function mergeList(target: unknown, patch: readonly unknown[], mergeKey: string): unknown[] {
  if (patch.some((each) => isTree(each) && each.$patch === 'replace'))
    return patch.filter((each) => !isTree(each) || each.$patch !== 'replace');
  let result = Array.isArray(target) ? [...target] : [];
  for (const element of patch) {
    const index = result.findIndex((each) => isTree(each) && isTree(element) && each[mergeKey] === element[mergeKey]);
    if (isTree(element) && element.$patch === 'delete') result = result.filter((_, at) => at !== index);
    else if (index < 0) result.push(element);
    else result[index] = strategicMerge(result[index], element);
  }
  return result;
}

/** Server-side apply: what the manager applied before and no longer does goes, what it applies now is merged in. */
export function applyPatch(target: unknown, before: unknown, applied: unknown): unknown {
  return strategicMerge(strategicMerge(target, removals(before, applied)), applied);
}

/** The strategic patch that takes away what only `before` has. */
function removals(before: unknown, now: unknown): Tree {
  const result: Tree = {};
  if (!isTree(before) || !isTree(now)) return result;
  for (const [name, value] of Object.entries(before)) {
    const current = now[name];
    if (current === undefined) result[name] = null;
    else if (isTree(value)) result[name] = removals(value, current);
    else if (Array.isArray(value) && Array.isArray(current)) {
      const mergeKey = mergeKeyOf(name, value);
      if (!mergeKey) continue;
      result[name] = value.filter(isTree).map((element) => {
        const same = current.find((each) => isTree(each) && isDeepStrictEqual(each[mergeKey], element[mergeKey]));
        return { [mergeKey]: element[mergeKey], ...(same ? removals(element, same) : { $patch: 'delete' }) };
      });
    }
  }
  return result;
}

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

const without = (tree: Tree, name: string): Tree =>
  Object.fromEntries(Object.entries(tree).filter(([each]) => each !== name));
