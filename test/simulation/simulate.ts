/**
 * `npm run simulate`: disasters, faults and people drawn from seeds, thousands of them, on the virtual clock; whatever
 * violates an invariant of design.md is told as the shortest story that still does, and replays from its seed.
 */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { synthesize } from '../../cli/synthesize.ts';
import { createDataDirectory } from '../../local/process/data-directory.ts';
import { Fleet } from './fleet.ts';
import { withVariants } from './make-variants.ts';
import { basesOf, type Machine, machines, matrixDocument, meetAll } from './matrix.ts';
import { type Plan, planOf, type Scenario, scenarios } from './plan.ts';
import { simulate } from './run.ts';
import { summarize } from './summary.ts';
import { optionsFor, type Place } from './variants.ts';
import type { Report } from './worker.ts';

const usage = `npm run simulate -- [--seeds N] [--seed S] [--scenario NAME] [--matrix [--machine NAME]] [--assembly DIRECTORY]
  --seeds N     runs the seeds from 1 (or from --seed) on; 1000 without
  --seed S      runs this one alone, and tells its story
  --scenario X  every run is of this kind: ${scenarios.join(', ')}
  --matrix      meets every Task with every kind of fault, and writes docs/fault-matrix.md
  --machine M   of the matrix, this machine's table alone: ${machines.join(', ')}
  --assembly D  a synthesized assembly of production; without, it is synthesized
exit: 0 every invariant held · 1 one did not · 2 bad usage · 3 the simulation itself failed`;

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) return 2;
  const data = createDataDirectory(tmpdir());
  try {
    const assembly =
      options.assembly ?? (await synthesize('production', join(data.path, 'cdk.out'), { validate: false }));
    const directory = mkdtempSync(join(data.path, 'clouds-'));
    const placeOf = (plans: readonly Plan[]) =>
      withVariants(
        { assembly, directory },
        plans.map(({ variant }) => variant),
      );
    if (options.matrix) {
      const asked = options.machine ? [options.machine] : machines;
      return await writeMatrix(asked, placeOf(asked.flatMap(basesOf)));
    }
    const { seed, seeds, scenario } = options;
    if (seed !== undefined && seeds === undefined) {
      const plan = planOf(seed, scenario);
      return await tell(plan, placeOf([plan]));
    }
    const plans = Array.from({ length: seeds ?? 1000 }, (_, index) => planOf((seed ?? 1) + index, scenario));
    return await runAll(plans, scenario, placeOf(plans));
  } finally {
    data.remove();
  }
}

function readOptions() {
  const number = (name: string, text: string | undefined) => {
    if (text === undefined) return undefined;
    if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
    throw new Error(`--${name} ${text}: give a whole number from 1 to 999999999`);
  };
  try {
    const { values } = parseArgs({
      options: {
        seeds: { type: 'string' },
        seed: { type: 'string' },
        scenario: { type: 'string' },
        matrix: { type: 'boolean' },
        machine: { type: 'string' },
        assembly: { type: 'string' },
        help: { type: 'boolean' },
      },
    });
    if (!values.help) {
      const [seeds, seed] = [number('seeds', values.seeds), number('seed', values.seed)];
      return {
        ...values,
        seeds,
        seed,
        scenario: scenarioNamed(values.scenario),
        machine: machineNamed(values.machine),
      };
    }
    console.log(usage);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`);
  }
  return undefined;
}

function scenarioNamed(name: string | undefined): Scenario | undefined {
  const scenario = scenarios.find((each) => each === name);
  if (scenario !== undefined || name === undefined) return scenario;
  throw new Error(`--scenario ${name}: there are ${scenarios.join(', ')}`);
}

function machineNamed(name: string | undefined): Machine | undefined {
  const machine = machines.find((each) => each === name);
  if (machine !== undefined || name === undefined) return machine;
  throw new Error(`--machine ${name}: there are ${machines.join(', ')}`);
}

const document = join(import.meta.dirname, '../../docs/fault-matrix.md');

async function writeMatrix(asked: readonly Machine[], place: Place): Promise<number> {
  const fleet = new Fleet();
  try {
    const outcomes = await meetAll(asked, fleet, place, (done, all) => {
      if (process.stdout.isTTY) process.stdout.write(`\r${done} of ${all} cells`);
    });
    writeFileSync(document, matrixDocument(outcomes, readFileSync(document, 'utf8')));
    const violated = outcomes.filter(({ violations }) => violations.length > 0);
    for (const { task, kind, violations, story } of violated)
      console.log(`\n${task} met by ${kind}: ${violations.map(({ what }) => what).join('; ')}\n${story}`);
    console.log(`\ndocs/fault-matrix.md: ${outcomes.length} cells, ${violated.length} violate an invariant`);
    return violated.length === 0 ? 0 : 1;
  } finally {
    fleet.close();
  }
}

/** One seed in this process, with everything that happened. */
async function tell(plan: Plan, place: Place): Promise<number> {
  const { seed } = plan;
  const result = await simulate(plan, optionsFor(plan, place));
  console.log(`Seed ${seed}: ${JSON.stringify(result.plan)}\n\n${result.story}`);
  for (const { invariant, what } of result.violations) console.log(`\nInvariant ${invariant} is violated: ${what}`);
  if (result.violations.length === 0) console.log('\nEvery invariant held.');
  return result.violations.length === 0 ? 0 : 1;
}

async function runAll(plans: readonly Plan[], scenario: Scenario | undefined, place: Place): Promise<number> {
  const begun = performance.now();
  const reports: Report[] = [];
  let crashes = 0;
  const fleet = new Fleet();
  const again = scenario === undefined ? '' : ` --scenario ${scenario}`;
  const run = async (plan: Plan) => {
    const { seed } = plan;
    try {
      const report = await fleet.run<'plan'>({ kind: 'plan', plan, shrinks: true, ...place });
      reports.push(report);
      show(report, again);
    } catch (error) {
      crashes++;
      console.log(`\nSeed ${seed}: the simulation itself failed\n${error instanceof Error ? error.message : error}`);
    }
    const seconds = (performance.now() - begun) / 1000;
    if (process.stdout.isTTY) process.stdout.write(`\r${reports.length} of ${plans.length}, ${seconds.toFixed(0)} s`);
  };
  await Promise.all(plans.map(run));
  fleet.close();
  console.log(summarize(reports, (performance.now() - begun) / 1000));
  if (crashes > 0) return 3;
  return reports.some(({ violations }) => violations.length > 0) ? 1 : 0;
}

function show({ seed, violations, shortest }: Report, again: string): void {
  for (const { invariant, what } of violations) console.log(`\nSeed ${seed} violates invariant ${invariant}: ${what}`);
  if (shortest)
    console.log(
      `The shortest story that still does:\n${shortest.plan}\n${shortest.story}\nReplay: npm run simulate -- --seed ${seed}${again}`,
    );
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(error);
  return 3;
});
