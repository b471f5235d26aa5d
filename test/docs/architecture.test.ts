import { describe, expect, it } from 'vitest';
import { files, folders, markedTable, read } from './repository.ts';

const listed = markedTable(read('docs/architecture.md'), 'components').map(([path = '']) => path.replaceAll('`', ''));

/** Rooms whose own structure is another room's, or Kustomize's: one row is enough. */
const mirrored = ['test/', 'docs/', 'workload/kubernetes/'];

const missing = (house: readonly string[], rows: readonly string[]) =>
  house.filter((folder) => !rows.includes(folder) && !mirrored.some((room) => folder.startsWith(room)));

describe('the component table', () => {
  it('lists every folder of the house', () => expect(missing(folders, listed)).toEqual([]));
  it('lists nothing that does not exist', () => {
    expect(
      listed.filter((path) => !folders.some((folder) => folder.startsWith(path)) && !files.includes(path)),
    ).toEqual([]);
  });
  it('lists nothing twice', () => expect(new Set(listed).size).toBe(listed.length));
  it('would notice a folder without a row', () => {
    expect(missing([...folders, 'core/nowhere/'], listed)).toEqual(['core/nowhere/']);
  });
  it('names files that its folders hold', () => {
    const rows = markedTable(read('docs/architecture.md'), 'components');
    for (const [path = '', text = ''] of rows)
      for (const [, name] of text.matchAll(/`([\w.-]+\.ts)`/g))
        expect(files).toContain(path.replaceAll('`', '') + name);
  });
});
