import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { errorRegistry } from '../../core/errors.ts';
import {
  documentedMachines,
  errorsDocument,
  errorsFile,
  machinesDocument,
  machinesReadme,
} from '../../scripts/generate-docs.ts';
import { areaOfError } from '../../scripts/product-errors.ts';
import { definitionOf, machines, numbers, placesIn, sourceOf, substitutionsOf } from '../state-machines/machines.ts';

const read = (file: string) => readFileSync(file, 'utf8');

describe('docs/errors.md', () => {
  it('is what `npm run docs` makes of the errors today', () => {
    expect(read(errorsFile)).toBe(errorsDocument());
  });
  it('lists every error with its area and what to do next', () => {
    const text = read(errorsFile);
    expect(
      [...errorRegistry.keys()].filter((name) => !text.includes(`| \`${name}\` | ${areaOfError.get(name)} |`)),
    ).toEqual([]);
    for (const { next } of errorRegistry.values()) expect(next.trim().length).toBeGreaterThan(20);
  });
});

describe('state-machines/README.md', () => {
  const readme = read(machinesReadme);
  it('is what `npm run docs` makes of the definitions today', () => {
    expect(machinesDocument(readme, documentedMachines)).toBe(readme);
  });
  it('documents every machine', () => {
    expect(documentedMachines.toSorted()).toEqual(machines.toSorted());
  });
  it.each(machines)('lists every state of %s, and what each of its functions answers', (machine) => {
    const [table = '', answers = ''] = readme.split(`<!-- states of ${machine}`)[1]?.split('<!-- end -->') ?? [];
    const states = placesIn(definitionOf(machine)).map(({ name }) => name);
    expect(states.filter((name) => !table.includes(`**${name}** `))).toEqual([]);
    const functions = substitutionsOf(sourceOf(machine)).filter((name) => !(name in numbers) && !name.endsWith('Job'));
    expect(functions.filter((name) => !answers.includes(`\`${name}\``))).toEqual([]);
  });
  it('is refused without the marks of a machine', () => {
    expect(() => machinesDocument('# State machines', ['database-recovery'])).toThrow(
      'has no table of database-recovery',
    );
  });
});
