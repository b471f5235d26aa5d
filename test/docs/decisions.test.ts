import { describe, expect, it } from 'vitest';
import { files, read, tableRows } from './repository.ts';

const decisions = files.filter((file) => /^docs\/decisions\/\d{4}-[a-z0-9-]+\.md$/.test(file));

describe('decisions', () => {
  it('are numbered without a gap', () => {
    expect(decisions.map((file) => Number(file.slice('docs/decisions/'.length).slice(0, 4)))).toEqual(
      decisions.map((_, index) => index + 1),
    );
  });
  it('are all in the index, under their titles', () => {
    const titles = decisions.map((file) =>
      read(file)
        .split('\n')[0]
        ?.replace(/^# \d{4} /, ''),
    );
    const index = tableRows(read('docs/decisions/README.md')).slice(1);
    expect(index.map(([, title]) => title)).toEqual(titles);
  });
  it.each(decisions)('%s gives context, decision and consequences', (file) => {
    const headings = [...read(file).matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual(['Context', 'Decision', 'Consequences']);
  });
});
