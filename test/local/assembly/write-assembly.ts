/** Writes a small cloud assembly by hand, in the form in which the CDK leaves one. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Template } from '../../../local/assembly/template.ts';

export interface StackSource {
  readonly region: string;
  readonly template: Template;
  readonly dependencies?: readonly string[];
  /** Object key without `.zip`, to the files of that asset. */
  readonly assets?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export const testAccount = '111122223333';

export function writeAssembly(directory: string, stacks: Readonly<Record<string, StackSource>>): string {
  mkdirSync(directory, { recursive: true });
  const write = (name: string, content: object) => writeFileSync(join(directory, name), JSON.stringify(content));
  const artifacts: Record<string, object> = {};
  for (const [name, { region, template, dependencies = [], assets = {} }] of Object.entries(stacks)) {
    const files: Record<string, object> = {};
    for (const [key, contents] of Object.entries(assets)) {
      mkdirSync(join(directory, `asset.${key}`), { recursive: true });
      for (const [file, text] of Object.entries(contents)) writeFileSync(join(directory, `asset.${key}`, file), text);
      files[key] = {
        source: { path: `asset.${key}`, packaging: 'zip' },
        destinations: { here: { bucketName: 'assets', objectKey: `${key}.zip` } },
      };
    }
    write(`${name}.template.json`, template);
    write(`${name}.assets.json`, { version: '48.0.0', files });
    artifacts[`${name}.assets`] = { type: 'cdk:asset-manifest', properties: { file: `${name}.assets.json` } };
    artifacts[name] = {
      type: 'aws:cloudformation:stack',
      environment: `aws://${testAccount}/${region}`,
      properties: { templateFile: `${name}.template.json`, stackName: name },
      dependencies: [`${name}.assets`, ...dependencies],
    };
  }
  write('manifest.json', { version: '48.0.0', artifacts });
  return directory;
}
