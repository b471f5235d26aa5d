/**
 * The protections of the product, each of which can be taken out of the bundle: whoever believes in a checker must have
 * seen it find something.
 */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { bundleOptions, findFunctions } from '../../lib/bundle.ts';
import type { Plan, Scenario } from './plan.ts';
import type { Variant } from './variants.ts';

/** What can be taken out of the bundle. */
export interface Weakening {
  readonly name: string;
  /** The installation that has it; without, production as it is configured. */
  readonly variant?: Variant;
  /** Where it is, and what stands there instead when it is off. The text occurs once. */
  readonly edits: readonly { readonly file: string; readonly text: string; readonly instead: string }[];
  /** Invariants of design.md, one of which is violated without it. */
  readonly guards: readonly number[];
}

/** One that some seed misses. */
export interface Protection extends Weakening {
  /** Of which the plans are; without, any. */
  readonly scenario?: Scenario;
  /** A seed that missed it when last looked: tried first, so that the search is short as long as plans stay what they are. */
  readonly seed: number;
  /** What a plan must bring for the protection to matter: the seeds that do are tried first. */
  readonly matters: (plan: Plan) => boolean;
}

/** One that no seed misses: the run that does, which breaks nothing as long as it is there. */
export interface Planned extends Weakening {
  readonly plan: Plan;
}

const has = (plan: Plan, kind: Plan['faults'][number]['kind']) => plan.faults.some((fault) => fault.kind === kind);
const isRecovery = ({ beginning }: Plan) => beginning.kind === 'recovery' || beginning.kind === 'disaster';
const approves = ({ acts }: Plan) =>
  acts.some((act) => act.kind === 'answer' && act.answer === 'approve' && act.afterMs < 900_000);

export const protections: readonly Protection[] = [
  {
    name: 'lease',
    seed: 10,
    edits: [
      {
        file: 'core/incident/take-lease.ts',
        text: 'const attempt = await control.takeLease(lease);',
        instead: 'const attempt = { taken: true } as Awaited<ReturnType<typeof control.takeLease>>;',
      },
    ],
    guards: [6, 1],
    matters: (plan) => plan.acts.some(({ kind }) => kind === 'start-again') && plan.beginning.kind !== 'disaster',
  },
  {
    name: 'epoch condition',
    seed: 549,
    edits: [
      {
        file: 'lambdas/adapters/aws/control-store.ts',
        text: "ConditionExpression: 'epoch = :expected',",
        instead: "ConditionExpression: 'epoch >= :expected OR epoch < :expected',",
      },
    ],
    guards: [1],
    matters: (plan) =>
      isRecovery(plan) &&
      approves(plan) &&
      plan.faults.some((fault) => fault.kind === 'stop-during' && fault.about === 'active-database'),
  },
  {
    name: 'fence proof',
    seed: 91,
    edits: [
      {
        file: 'core/database/fence.ts',
        text: 'const role = login.username;\n  const opened',
        instead: 'const role = login.username;\n  if (role !== undefined) return;\n  const opened',
      },
    ],
    guards: [1],
    matters: (plan) => isRecovery(plan) && approves(plan) && has(plan, 'reopened'),
  },
  {
    name: 'validation gate',
    seed: 13,
    edits: [
      {
        file: 'core/validation/judge-validation.ts',
        text: 'const { verdict, reasons, again } = judge(results, round, waiver?.checks);',
        instead:
          "const { verdict, reasons, again } = judge([{ ...results[0], verdict: 'passed' } as PieceResult], round);",
      },
    ],
    guards: [2, 8],
    matters: (plan) =>
      plan.beginning.kind === 'recovery' && approves(plan) && /table|update/.test(plan.disaster?.name ?? ''),
  },
  {
    name: 'alarm re-read',
    seed: 155,
    edits: [
      {
        file: 'core/incident/triage.ts',
        text: "if (signal.kind === 'alarm' && facts.alarmNow !== 'ALARM')",
        instead: "if (signal.kind === 'alarm' && facts.alarmNow === undefined)",
      },
    ],
    guards: [6],
    matters: (plan) =>
      plan.beginning.kind === 'disaster' &&
      plan.disaster?.name === 'hiccup' &&
      plan.faults.some((fault) => fault.kind === 'event' && fault.arrivalsMs[0] === 540_000),
  },
  {
    name: 'adoption tag',
    seed: 40,
    edits: [
      {
        file: 'core/database/restore-database.ts',
        text: 'if (owner !== incident.id)\n    throw CandidateNotOurs(',
        instead: 'if (owner !== owner)\n    throw CandidateNotOurs(',
      },
    ],
    guards: [2, 4],
    matters: (plan) =>
      plan.beginning.kind === 'recovery' &&
      approves(plan) &&
      plan.disaster === undefined &&
      plan.faults.some((fault) => fault.kind === 'squatter' && fault.tagged),
  },
  {
    name: 'tear-down guard',
    seed: 34,
    edits: [
      {
        file: 'core/database/tear-down.ts',
        text: 'if (owner !== incident.id) return',
        instead: 'if (owner !== owner) return',
      },
    ],
    guards: [4],
    matters: (plan) =>
      plan.beginning.kind === 'drill' && plan.faults.some((fault) => fault.kind === 'squatter' && fault.tagged),
  },
  {
    name: 'restore target',
    seed: 27,
    edits: [
      {
        file: 'core/database/restore-database.ts',
        text: 'sourceResourceId, ...backups, at }',
        instead: "sourceResourceId, ...backups, at: 'latest' }",
      },
      {
        file: 'core/validation/state-checks.ts',
        text: "if (chosen && restore.kind === 'time' && isBefore(restorePoint, newest))",
        instead: 'if (restorePoint === newest)',
      },
    ],
    guards: [2],
    matters: (plan) =>
      plan.beginning.kind === 'recovery' && approves(plan) && plan.beginning.restoreTo === 'minutes-ago',
  },
  {
    name: 'compensation',
    seed: 44,
    edits: [
      {
        file: 'core/incident/compensate.ts',
        text: 'of await compensations.open(incident.id))',
        instead: 'of (await compensations.open(incident.id)).slice(0, 0))',
      },
    ],
    guards: [5],
    matters: (plan) =>
      isRecovery(plan) && approves(plan) && has(plan, 'restore') && plan.disaster?.name !== 'instance-lost',
  },
];

/** Whoever begins, nothing else happens and nobody is asked. */
const alone = (beginning: Plan['beginning']): Plan => ({ seed: 1, beginning, acts: [], faults: [], skewMs: 0 });

/** A backup without its copy says that it succeeded. The run is denied the copy. */
export const verdictOfBackup: Planned = {
  name: 'verdict of a backup',
  edits: [
    {
      file: 'core/backup/report-backup.ts',
      text: "const verdict = failed.length === 0 && outcomes.length > 0 ? 'succeeded' : 'failed';",
      instead: "const verdict = 'succeeded' as BackupRecord['verdict'];",
    },
  ],
  guards: [8],
  plan: {
    ...alone({ kind: 'backup', task: 'backup' }),
    faults: [{ kind: 'call', fault: 'deny', service: 'rds', operation: 'CopyDBSnapshot', fromMs: 0, times: 100 }],
  },
};

/** A check whose look failed says that all is well. The run's look at secrets fails. */
export const silenceIsUnknown: Planned = {
  name: 'silence is unknown',
  edits: [
    {
      file: 'core/readiness/check.ts',
      text: "{ verdict: 'unknown', reason: answer.silent }",
      instead: "{ verdict: 'ready' as const, reason: answer.silent }",
    },
  ],
  guards: [8],
  plan: alone({ kind: 'look' }),
};

/** An assembly like this one, whose functions lack the protection. */
export async function without(protection: Weakening, assembly: string, directory: string): Promise<string> {
  const target = join(directory, `without-${protection.name.replaceAll(' ', '-')}`);
  mkdirSync(target, { recursive: true });
  const hash = hashOfFunctions(assembly);
  const weakened = createHash('sha256').update(`${hash} ${protection.name}`).digest('hex');
  for (const name of readdirSync(assembly)) {
    if (!/^(manifest\.json|cdk\.out|.*\.(assets|template)\.json|asset\..*\.json)$/.test(name)) continue;
    writeFileSync(join(target, name), readFileSync(join(assembly, name), 'utf8').replaceAll(hash, weakened));
  }
  const bundle = join(target, `asset.${weakened}`);
  await build({ ...bundleOptions(findFunctions(), bundle), plugins: [weaken(protection)] });
  // What the bundle holds beside code: settings, release, the calls that readiness simulates.
  for (const name of readdirSync(join(assembly, `asset.${hash}`)))
    if (!existsSync(join(bundle, name))) cpSync(join(assembly, `asset.${hash}`, name), join(bundle, name));
  return target;
}

/** The one asset that functions run from. */
function hashOfFunctions(assembly: string): string {
  const template = readdirSync(assembly).find((name) => name.endsWith('.template.json')) ?? '';
  const { Resources } = JSON.parse(readFileSync(join(assembly, template), 'utf8')) as {
    Resources: Record<string, { Type: string; Properties: { Code?: { S3Key?: string } } }>;
  };
  const code = Object.values(Resources).find(({ Type }) => Type === 'AWS::Lambda::Function')?.Properties.Code;
  return code?.S3Key?.replace('.zip', '') ?? '';
}

/** Throws where a text is not there, or not alone: a protection that was moved would be believed to be off. */
const weaken = ({ name, edits }: Weakening): Plugin => ({
  name,
  setup(building) {
    for (const file of new Set(edits.map((edit) => edit.file)))
      building.onLoad({ filter: new RegExp(`${file.replaceAll('.', '\\.')}$`) }, ({ path }) => {
        let contents = readFileSync(path, 'utf8');
        for (const edit of edits.filter((each) => each.file === file)) contents = replaceOnce(contents, edit, name);
        return { contents, loader: 'ts' };
      });
  },
});

function replaceOnce(contents: string, { file, text, instead }: Weakening['edits'][number], name: string): string {
  if (contents.split(text).length !== 2) throw new Error(`${file} does not hold the ${name} once: ${text}`);
  return contents.replace(text, () => instead);
}
