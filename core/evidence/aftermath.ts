/** What a recovery that did not succeed leaves behind, and what one that did leaves to do. */
import { keepInWords, SourceLeft } from '../database/source-left.ts';
import type { StepRecord } from '../incident/contracts.ts';
import { unfenceSource } from '../incident/identifiers.ts';
import { TerraformDebt } from './contracts.ts';

/** States that only look, ask or undo. */
const harmless = [
  'TakeLease',
  'OpenIncident',
  'AssessDatabase',
  'AssessRegion',
  'AssessHome',
  'AssessCluster',
  'AwaitRescheduled',
  'PlanRebuild',
  'JudgeRebuild',
  'LookAtResources',
  'FindDrift',
  'JudgeFindings',
  'RequestApproval',
  'Replan',
  'Compensate',
  'CloseIncident',
];

/** How production was left, in words that follow the outcome; empty where the records do not say. */
export function aftermath(timeline: readonly StepRecord[]): string {
  if (timeline.every(({ step }) => harmless.includes(step))) return 'nothing was changed';
  const undoing = timeline.find(({ step }) => step === 'Compensate');
  if (undoing === undefined) return isRepairUnbegun(timeline) ? 'nothing of production was changed' : '';
  return undoing.status === 'succeeded' ? undoing.summary : notUndone(undoing);
}

/** A repair of tables works on a copy until its one transaction, which is all or nothing. */
const isRepairUnbegun = (timeline: readonly StepRecord[]) =>
  timeline.some(({ step }) => step === 'TearDown') &&
  !timeline.some(({ step, status }) => step === 'RepairTables' && status !== 'failed');

/** Undoing failed, and not known to have failed at other things than the fence alone. */
export const mayBeFenced = ({ facts: { failed } }: StepRecord): boolean =>
  !Array.isArray(failed) || failed.includes(unfenceSource);

/** What people must read first where undoing failed. */
export const notUndone = (undoing: StepRecord): string => {
  const what = mayBeFenced(undoing)
    ? 'PRODUCTION MAY STILL REFUSE THE APPLICATION’S WRITES'
    : 'PRODUCTION TAKES WRITES, AND NOT EVERYTHING ELSE IS UNDONE';
  return `${what}: ${undoing.step} ended with "${undoing.error?.message ?? undoing.summary}"`;
};

/** The last step that knew what Terraform still believes. */
export function terraformDebt(timeline: readonly StepRecord[]): TerraformDebt | undefined {
  const told = timeline.flatMap(({ facts: { terraformDebt: debt, notCarriedOver } }) => {
    const parsed = TerraformDebt.safeParse({ notCarriedOver, ...(typeof debt === 'object' ? debt : {}) });
    return parsed.success ? [parsed.data] : [];
  });
  const debt = told.at(-1);
  const last = (fact: string) => timeline.findLast(({ facts }) => typeof facts[fact] === 'string')?.facts[fact];
  const refused = last('terraformRefused');
  const left = SourceLeft.safeParse(last('sourceLeft')).data;
  return (
    debt && {
      ...debt,
      ...(left === undefined ? {} : { left }),
      ...(typeof refused === 'string' ? { refused } : {}),
    }
  );
}

/** What a person does about it, one line for each part. */
export const debtInWords = ({ import: instance, old, left, parameter, notCarriedOver, refused }: TerraformDebt) => [
  {
    what: instance,
    todo: `Take ${old} out of Terraform’s state and import ${instance} in its place; until its plan is empty, apply nothing: it would undo the cut-over.`,
  },
  { what: old, todo: keepInWords(old, left) },
  { what: parameter, todo: `It names ${instance}; let Terraform take over this value.` },
  ...(refused
    ? [
        {
          what: 'terraform apply',
          todo: `Terraform did not follow the failover: ${refused}. Correct its configuration or state, then plan and apply.`,
        },
      ]
    : []),
  ...(notCarriedOver ? [{ what: notCarriedOver, todo: `Make it anew, of ${instance}.` }] : []),
];
