/** `npm run docs`: writes the tables of the documentation that the code knows better than any author. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorRegistry } from '../core/errors.ts';
import { areaOfError } from './product-errors.ts';

const root = join(import.meta.dirname, '..');

/** What this reads of States Language. */
interface State {
  readonly Type: string;
  readonly Comment?: string;
  readonly Arguments?: {
    readonly Payload?: Readonly<Record<string, unknown>>;
    /** Of a job: INPUT is one expression that makes the payload as JSON. */
    readonly EnvironmentVariablesOverride?: readonly { readonly Name: string; readonly Value: string }[];
  };
  readonly Items?: string;
  readonly Assign?: Readonly<Record<string, unknown>>;
  readonly Output?: unknown;
  readonly TimeoutSeconds?: number | string;
  readonly Retry?: readonly {
    readonly ErrorEquals: readonly string[];
    readonly MaxAttempts?: number;
    readonly IntervalSeconds?: number;
  }[];
  readonly Catch?: readonly { readonly Next: string }[];
  readonly Branches?: readonly Flow[];
  readonly ItemProcessor?: Flow;
}
interface Flow {
  readonly States: Readonly<Record<string, State>>;
}

const rows = (...cells: readonly (readonly string[])[]) => cells.map((row) => `| ${row.join(' | ')} |`).join('\n');
const table = (head: readonly string[], body: readonly (readonly string[])[]) =>
  rows(
    head,
    head.map(() => '---'),
    ...body,
  );
const code = (texts: readonly string[]) => texts.map((text) => `\`${text}\``).join(' ') || '–';

/** docs/errors.md: every error of the registry, by area and name. */
export function errorsDocument(): string {
  const areas = [...new Set(areaOfError.values())].sort();
  const errorsOf = (area: string) =>
    [...errorRegistry.values()]
      .filter(({ name }) => areaOfError.get(name) === area)
      .sort((a, b) => a.name.localeCompare(b.name));
  const body = areas.flatMap((area) =>
    errorsOf(area).map(({ name, retryable, next }) => [
      `\`${name}\``,
      area,
      retryable ? 'yes' : 'no',
      next.replaceAll('|', '\\|'),
    ]),
  );
  return `# Errors

What the product raises on purpose. \`Error\` in an execution’s history is the name; the cause ends with what to do next.
A retryable error is tried again by the state machine itself and reaches people only when it gives up.
Generated from core/*/errors.ts by \`npm run docs\`.

${table(['Error', 'Area', 'Retryable', 'Next'], body)}
`;
}

/** The table of a machine’s states for state-machines/README.md. */
export function statesTable(machine: string): string {
  const definition: Flow = JSON.parse(readFileSync(join(root, `state-machines/${machine}.asl.json`), 'utf8'));
  return table(
    ['State', 'What it does', 'Input', 'Output', 'Waits and retries', 'On failure'],
    statesIn(definition, [], ''),
  );
}

function statesIn(flow: Flow, around: readonly State[], indent: string): string[][] {
  return Object.entries(flow.States).flatMap(([name, state]) => {
    const inner = [...(state.Branches ?? []), ...(state.ItemProcessor ? [state.ItemProcessor] : [])];
    const row = [
      `${indent}**${name}** ${state.Type}`,
      state.Comment ?? '',
      inputOf(state),
      outputOf(state),
      patienceOf(state),
      failureOf(state, around),
    ];
    return [row, ...inner.flatMap((each) => statesIn(each, [state, ...around], `${indent}› `))];
  });
}

/** Fields of the payload beyond the incident and the step, which every step is given. */
function inputOf({ Arguments, Items }: State): string {
  if (Items !== undefined) return code([Items.replace(/[{}% ]/g, '')]);
  const { Payload = {}, EnvironmentVariablesOverride = [] } = Arguments ?? {};
  const ofJob = EnvironmentVariablesOverride.find(({ Name }) => Name === 'INPUT')?.Value.matchAll(/'(\w+)':/g) ?? [];
  const fields = [...Object.keys(Payload), ...[...ofJob].map(([, field = '']) => field)];
  return code(fields.filter((field) => !['incident', 'run', 'step'].includes(field)));
}

function outputOf({ Assign, Output }: State): string {
  const assigned = Object.keys(Assign ?? {}).map((name) => `$${name}`);
  return code([...assigned, ...(Output === undefined ? [] : ['the answer'])]);
}

/** Own retries only: that every task tries again what Lambda or a service fails at for now is said once, above the table. */
function patienceOf({ TimeoutSeconds, Retry = [] }: State): string {
  const own = Retry.filter(({ ErrorEquals }) => ErrorEquals.every((error) => !error.includes('.'))).map(
    ({ ErrorEquals, IntervalSeconds = 1, MaxAttempts = 3 }) =>
      `${code(ErrorEquals)} ${MaxAttempts} × ${IntervalSeconds} s`,
  );
  // A substituted number stands in an expression.
  const limit = typeof TimeoutSeconds === 'string' ? TimeoutSeconds.replace(/[{}%$ ]/g, '') : TimeoutSeconds;
  return [...(limit === undefined ? [] : [`${limit} s`]), ...own].join(', ') || '–';
}

function failureOf(state: State, around: readonly State[]): string {
  if (!['Task', 'Parallel', 'Map'].includes(state.Type)) return '–';
  const catchers = [state, ...around].find((each) => each.Catch !== undefined)?.Catch;
  return catchers ? `→ ${[...new Set(catchers.map(({ Next }) => Next))].join(', ')}` : 'fails the execution';
}

const begin = (machine: string) => `<!-- states of ${machine}: npm run docs -->`;
const end = '<!-- end -->';

/** The README with the tables between its marks made anew. Throws where a machine has no marks. */
export function machinesDocument(readme: string, machines: readonly string[]): string {
  return machines.reduce((text, machine) => {
    const from = text.indexOf(begin(machine));
    const to = text.indexOf(end, from);
    if (from < 0 || to < 0)
      throw new Error(`state-machines/README.md has no table of ${machine}: ${begin(machine)} … ${end}`);
    return `${text.slice(0, from)}${begin(machine)}\n${statesTable(machine)}\n${text.slice(to)}`;
  }, readme);
}

export const machinesReadme = join(root, 'state-machines/README.md');
export const errorsFile = join(root, 'docs/errors.md');
export const documentedMachines = [
  'database-recovery',
  'cluster-recovery',
  'configuration-recovery',
  'backup',
  'readiness',
  'region-failover',
  'region-failback',
];

if (process.argv[1] === import.meta.filename) {
  writeFileSync(errorsFile, errorsDocument());
  writeFileSync(machinesReadme, machinesDocument(readFileSync(machinesReadme, 'utf8'), documentedMachines));
}
