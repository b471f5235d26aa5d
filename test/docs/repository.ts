/** The repository as its documentation sees it: files that belong to it, and Markdown taken apart. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

export const root = join(import.meta.dirname, '../..');

/** What is made, installed or kept by tools. */
const foreign = new Set(['node_modules', '.git', 'cdk.out', 'reports', 'coverage', '.stocker-dr']);

function* walk(directory: string): Generator<string> {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (foreign.has(entry.name)) continue;
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* walk(path);
    else yield relative(root, path).split(sep).join('/');
  }
}

/** Every file of the repository, relative, with forward slashes. */
export const files: readonly string[] = [...walk(root)].sort();

/** Folders that hold files themselves. */
export const folders: readonly string[] = [
  ...new Set(files.filter((file) => file.includes('/')).map((file) => file.slice(0, file.lastIndexOf('/') + 1))),
].sort();

export const markdownFiles = files.filter((file) => file.endsWith('.md'));

export const read = (file: string): string => readFileSync(join(root, file), 'utf8');

/** Prose without what stands in fences, where brackets and backticks mean something else. */
export const prose = (markdown: string): string => markdown.replace(/^```[\s\S]*?^```/gm, '');

/** Contents of the fences of a language. */
export const fences = (markdown: string, language: string): string[] =>
  [...markdown.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, body]) => body ?? '');

/** What stands in backticks, outside of fences. */
export const codeSpans = (markdown: string): string[] =>
  [...prose(markdown).matchAll(/`([^`\n]+)`/g)].map(([, code]) => code ?? '');

/** Rows of every table, cells trimmed, without the rule under the heads; escaped bars are bars. */
export function tableRows(markdown: string): string[][] {
  return prose(markdown)
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^\|[\s:|-]+\|$/.test(line))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim().replaceAll('\\|', '|')),
    );
}

/** Rows of the first table behind `<!-- name -->`, without its head. */
export function markedTable(markdown: string, name: string): string[][] {
  const [, after] = markdown.split(`<!-- ${name} -->\n`);
  if (after === undefined) throw new Error(`There is no table marked ${name}`);
  const [table = ''] = after.split('\n\n');
  return tableRows(table).slice(1);
}

/** The anchors that GitHub gives a file's headings. */
export const anchorsOf = (markdown: string): string[] =>
  prose(markdown)
    .split('\n')
    .filter((line) => /^#{1,6} /.test(line))
    .map((line) =>
      line
        .replace(/^#+ /, '')
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    );
