import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { anchorsOf, codeSpans, files, folders, markdownFiles, prose, read, root } from './repository.ts';

const rooms = new Set(folders.map((folder) => folder.split('/')[0]));
const exists = (path: string) =>
  files.includes(path) || files.some((file) => file.startsWith(path.endsWith('/') ? path : `${path}/`));

/** What a link of `file` leads to and does not find; undefined where all is well. */
function brokenLink(file: string, markdown: string, target: string): string | undefined {
  if (/^(https?|mailto):/.test(target)) return undefined;
  const [path = '', anchor] = target.split('#');
  const to = path === '' ? file : posix.normalize(posix.join(posix.dirname(file), path));
  if (!exists(to)) return `${target}: there is no ${to}`;
  if (anchor === undefined) return undefined;
  const anchors = anchorsOf(to === file ? markdown : read(to));
  return anchors.includes(anchor) ? undefined : `${target}: ${to} has no heading ${anchor}`;
}

const brokenLinks = (file: string, markdown: string) =>
  [...prose(markdown).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(
    ([, target = '']) => brokenLink(file, markdown, target) ?? [],
  );

/** Code that reads like a path of this repository and leads nowhere. A `*`, `<…>` or `…` stands for something. */
const brokenPaths = (markdown: string) =>
  codeSpans(markdown).filter(
    (code) =>
      /^[\w.@-]+(\/[\w.@-]*)+$/.test(code) &&
      rooms.has(code.split('/')[0]) &&
      !code.startsWith('cdk.out') &&
      !exists(code),
  );

describe.each(markdownFiles)('%s', (file) => {
  it('links only to what exists', () => expect(brokenLinks(file, read(file))).toEqual([]));
  it('names only paths that exist', () => expect(brokenPaths(read(file))).toEqual([]));
  it('names no absolute path of a machine', () => {
    expect(read(file)).not.toContain(root);
    expect(read(file)).not.toMatch(/(^|[\s`("'])\/(home|Users|root)\//m);
  });
});

describe('the check itself', () => {
  it.each([
    { case: 'a missing file', markdown: '[x](docs/none.md)', found: 1 },
    { case: 'a missing heading', markdown: '[x](README.md#no-such-heading)', found: 1 },
    { case: 'an existing heading', markdown: '[x](README.md#status)', found: 0 },
    { case: 'a folder', markdown: '[x](docs/decisions/)', found: 0 },
    { case: 'another site', markdown: '[x](https://example.com/none.md)', found: 0 },
    { case: 'a link within a fence', markdown: '```\n[x](none.md)\n```\n', found: 0 },
  ])('case: $found broken', ({ markdown, found }) => {
    expect(brokenLinks('CHANGELOG.md', markdown)).toHaveLength(found);
  });
  it('finds a path that does not exist', () => {
    expect(brokenPaths('see `core/incident/none.ts` and `core/incident/`')).toEqual(['core/incident/none.ts']);
  });
});
