/**
 * STAND-IN for Terraform. It parses no HCL: beside `production.tfvars` it reads `production.desired.json`, the resources
 * that these variables stand for, and compares them with the embedded cloud through its API. State and lock are where the
 * backend arguments say: an object in S3 and an item in DynamoDB.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { accept, type Given, optionOf, refusal, runTool, ToolError } from './arguments.ts';
import { type Actual, type Desired, handlerOf } from './terraform-resources.ts';
import { type Backend, breakLock, readState, type StateFile, withLock, writeState } from './terraform-state.ts';

type Action = 'no-op' | 'create' | 'update' | 'delete';
interface Change {
  readonly address: string;
  readonly type: string;
  readonly action: Action;
  readonly before: Actual | null;
  readonly after: Desired['values'] | null;
}
interface PlanFile {
  readonly 'STAND-IN': string;
  readonly serial: number;
  readonly changes: readonly Change[];
}

const marker = '.terraform/stand-in.json';
const plain = ['-input=false', '-no-color'];

function say(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

async function init({ values }: Given): Promise<number> {
  const backend = Object.fromEntries((values.get('-backend-config') ?? []).map((each) => each.split('=')));
  const missing = ['bucket', 'key', 'region', 'dynamodb_table'].filter((name) => !backend[name]);
  if (missing.length > 0) throw new ToolError(`The backend configuration lacks ${missing.join(', ')}`);
  if (!existsSync('main.tf')) throw new ToolError('Terraform initialized in an empty directory!');
  await readState(backend as unknown as Backend);
  mkdirSync('.terraform', { recursive: true });
  writeFileSync(marker, JSON.stringify(backend));
  return say('Terraform has been successfully initialized!');
}

/** Exit 2 with -detailed-exitcode: something would change. */
async function plan(given: Given): Promise<number> {
  const backend = backendOf();
  const file = optionOf(given, 'terraform', '-var-file');
  if (!existsSync(file))
    throw new ToolError(`Failed to read variables file: Given variables file ${file} does not exist.`);
  const desired = given.flags.has('-destroy') ? [] : desiredOf(file);
  const { serial, changes } = await withLock(backend, async () => {
    const state = await readState(backend);
    return { serial: state.serial, changes: await changesTo(desired, state) };
  });
  const effective = changes.filter(({ action }) => action !== 'no-op');
  for (const { action, address } of effective) say(`  # ${address}: ${action}`);
  const count = (action: Action) => effective.filter((each) => each.action === action).length;
  say(
    effective.length === 0
      ? 'No changes. Your infrastructure matches the configuration.'
      : `Plan: ${count('create')} to add, ${count('update')} to change, ${count('delete')} to destroy.`,
  );
  const kept: PlanFile = { 'STAND-IN': 'No Terraform made this plan.', serial, changes };
  writeFileSync(given.values.get('-out')?.[0] ?? '.terraform/plan.json', JSON.stringify(kept));
  return given.flags.has('-detailed-exitcode') && effective.length > 0 ? 2 : 0;
}

/** Wanted first, in their order; then, in the opposite order, what the state owns and nobody wants. */
async function changesTo(desired: readonly Desired[], state: StateFile): Promise<Change[]> {
  const changes: Change[] = [];
  for (const { address, type, values } of desired) {
    const handler = handlerOf(type);
    // What the state holds is looked at, by the name it had then; what it does not hold is made, whether it is there or not.
    const held = state.resources.find((each) => each.address === address);
    const before = (held && (await handler.read(held.values))) ?? null;
    const action = before === null ? 'create' : handler.differs(before, values) ? 'update' : 'no-op';
    changes.push({ address, type, action, before, after: values });
  }
  const unwanted = state.resources.filter(({ address }) => !desired.some((each) => each.address === address));
  for (const { address, type, values } of unwanted.toReversed()) {
    const before = (await handlerOf(type).read(values)) ?? null;
    if (before !== null)
      changes.push({ address, type, action: 'delete', before: { ...values, ...before }, after: null });
  }
  return changes;
}

/** The shape of Terraform's own JSON output, as far as a reader of changes needs it. */
function show({ words }: Given): number {
  const { changes } = readPlan(words[0] ?? '');
  return say(
    JSON.stringify({
      format_version: '1.2',
      'STAND-IN': 'No Terraform made this plan.',
      resource_changes: changes.map(({ address, type, action, before, after }) => ({
        address,
        type,
        name: address.split('.')[1],
        change: { actions: [action], before, after },
      })),
    }),
  );
}

async function apply({ words }: Given): Promise<number> {
  const backend = backendOf();
  const { serial, changes } = readPlan(words[0] ?? '');
  await withLock(backend, async () => {
    let state = await readState(backend);
    if (state.serial !== serial) throw new ToolError('Saved plan is stale: the state was changed by another operation');
    for (const { address, type, action, before, after } of changes) {
      const handler = handlerOf(type);
      if (action === 'create') await handler.create(after ?? {});
      if (action === 'update') await handler.update(after ?? {}, before ?? {});
      if (action === 'delete') await handler.remove(before ?? {});
      if (action !== 'no-op') say(`${address}: ${action} complete`);
      // As Terraform does: what is done is in the state, whatever becomes of the rest.
      const others = state.resources.filter((each) => each.address !== address);
      const resources = action === 'delete' ? others : [...others, { address, type, values: after ?? {} }];
      state = await writeState(backend, { ...state, resources });
    }
  });
  return say('Apply complete!');
}

/** Takes what is there into the state, under an address that the configuration has and the state has not. */
async function importResource(given: Given): Promise<number> {
  const backend = backendOf();
  const [address = '', id = ''] = given.words;
  const wanted = desiredOf(optionOf(given, 'terraform', '-var-file')).find((each) => each.address === address);
  if (!wanted) throw new ToolError(`resource address "${address}" does not exist in the configuration.`);
  await withLock(backend, async () => {
    const state = await readState(backend);
    if (state.resources.some((each) => each.address === address))
      throw new ToolError(`Resource already managed by Terraform: ${address}`);
    const { identity, read } = handlerOf(wanted.type);
    const parts = id.split(':');
    const values = Object.fromEntries(identity.map((name, index) => [name, parts[index]]));
    const actual = await read(values);
    if (!actual) throw new ToolError(`Cannot import non-existent remote object: ${address}, ${id}`);
    const resource = { address, type: wanted.type, values: { ...values, ...actual } };
    await writeState(backend, { ...state, resources: [...state.resources, resource] });
  });
  return say('Import successful!');
}

/** Takes an address out of the state, and leaves what it stands for where it is. */
async function removeFromState({ words: [address = ''] }: Given): Promise<number> {
  const backend = backendOf();
  await withLock(backend, async () => {
    const state = await readState(backend);
    const resources = state.resources.filter((each) => each.address !== address);
    if (resources.length === state.resources.length) throw new ToolError(`No matching objects found: ${address}`);
    await writeState(backend, { ...state, resources });
  });
  return say(`Removed ${address}\nSuccessfully removed 1 resource instance(s).`);
}

async function forceUnlock({ words: [id = ''] }: Given): Promise<number> {
  await breakLock(backendOf(), id);
  return say('Terraform state has been successfully unlocked!');
}

function backendOf(): Backend {
  if (!existsSync(marker)) throw new ToolError('Backend initialization required, please run "terraform init"');
  return JSON.parse(readFileSync(marker, 'utf8')) as Backend;
}

const readPlan = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as PlanFile;

function desiredOf(variables: string): readonly Desired[] {
  const file = variables.replace(/\.tfvars$/, '.desired.json');
  if (!existsSync(file)) throw new ToolError(`STAND-IN: ${file} is missing, the desired state beside ${variables}`);
  return (JSON.parse(readFileSync(file, 'utf8')) as { resources: readonly Desired[] }).resources;
}

await runTool('terraform', async (argv) => {
  const [command, ...rest] = argv;
  if (command === 'version') return say('Terraform STAND-IN');
  if (command === 'init')
    return init(accept('terraform', rest, { words: 0, flags: plain, options: ['-backend-config'] }));
  if (command === 'plan')
    return plan(
      accept('terraform', rest, {
        words: 0,
        flags: [...plain, '-destroy', '-detailed-exitcode'],
        options: ['-var-file', '-out'],
      }),
    );
  if (command === 'show') return show(accept('terraform', rest, { words: 1, flags: ['-json'] }));
  if (command === 'apply') return apply(accept('terraform', rest, { words: 1, flags: plain }));
  if (command === 'import')
    return importResource(accept('terraform', rest, { words: 2, flags: plain, options: ['-var-file'] }));
  if (command === 'force-unlock') return forceUnlock(accept('terraform', rest, { words: 1, flags: ['-force'] }));
  if (command === 'state' && rest[0] === 'rm') return removeFromState(accept('terraform', rest.slice(1), { words: 1 }));
  throw refusal('terraform', `${command}`);
});
