/** The recovery checklist of the disaster recovery plan, ticked from facts. What only people do stays open for them. */
import { restoresNoData } from '../incident/identifiers.ts';
import type { ChecklistItem, Report, TerraformDebt } from './contracts.ts';

export type Findings = Pick<Report, 'record' | 'objectives' | 'timeline' | 'messages'> & {
  readonly failure: Report['failure'];
  readonly debt?: TerraformDebt | undefined;
};

export function checklist(findings: Findings): ChecklistItem[] {
  const { record, messages } = findings;
  const isDrill = record.incident.mode === 'drill';
  const procedure = procedureOf(findings);
  const approver = findings.timeline.find(({ step }) => step === 'RequestApproval');
  const declared = messages.find(({ kind }) => kind === 'declared');
  const undelivered = messages.filter(({ failure }) => failure !== undefined).length;
  return [
    fromSteps('Assess the disaster impact and scope', procedure.assess, findings),
    {
      item: 'Declare disaster and activate DR plan',
      state: declared ? 'done' : 'not-done',
      basis: declared ? `${isDrill ? 'declared as a drill' : 'declared'} at ${declared.at}` : 'nothing was declared',
    },
    {
      item: 'Assemble DR team',
      state: isDrill ? 'not-applicable' : 'open',
      basis: isDrill
        ? 'not applicable in a drill: nobody is called together'
        : `for the DR Coordinator to confirm${approver ? `; ${approver.summary}` : ''}`,
    },
    fromSteps('Execute appropriate recovery procedures', procedure.execute, findings),
    fromSteps(
      'Validate recovered systems',
      procedure.validate,
      findings,
      isDrill || restoresNoData(record.incident) ? undefined : 'the deep checks run afterwards, as a drill on a clone',
    ),
    {
      item: 'Communicate status to stakeholders',
      state: messages.length > 0 && undelivered === 0 ? 'done' : 'not-done',
      basis: `${messages.length} messages to the internal topic, ${undelivered} of them undelivered; customers: ${isDrill ? 'not applicable in a drill' : 'for people to tell'}`,
    },
    isDrill
      ? {
          ...fromSteps('Return to normal operations', procedure.tidy, findings, 'the drill left nothing behind'),
        }
      : returnToNormal(findings),
    { item: 'Conduct post-incident review', state: 'open', basis: 'a draft is in this report' },
    {
      item: 'Update DR plan based on lessons learned',
      state: 'open',
      basis: 'for the DR Coordinator, after the review',
    },
  ];
}

/** The states that stand for the plan's words, in each scenario. */
function procedureOf({ record: { incident }, timeline }: Findings) {
  const isDrill = incident.mode === 'drill';
  if (incident.scenario === 'cluster') {
    const isRebuilt = isDrill || timeline.some(({ step }) => step === 'Rebuild');
    return {
      assess: ['AssessCluster'],
      execute: isRebuilt ? ['PlanRebuild', 'Rebuild', 'AwaitCluster'] : nodeSteps(timeline),
      validate: ['ValidateApplication'],
      tidy: ['TearDown'],
    };
  }
  if (incident.scenario === 'configuration')
    return {
      assess: ['JudgeFindings'],
      execute: configurationSteps(timeline),
      validate: ['ValidateApplication'],
      tidy: ['RemoveDrill', 'TearDown'],
    };
  if (incident.scenario === 'region')
    return {
      assess: [timeline.some(({ step }) => step === 'AssessHome') ? 'AssessHome' : 'AssessRegion'],
      execute: ['AwaitPromoted', 'AwaitStandby', 'CutOver', 'AwaitTraffic'],
      validate: ['JudgeGate', 'ValidateApplication'],
      tidy: ['AwaitTornDown'],
    };
  return {
    assess: ['AssessDatabase'],
    execute: ['RestoreDatabase', incident.scope ? 'RepairTables' : 'CutOver'],
    validate: ['JudgeGate', 'ValidateApplication', 'ValidatePerformance', ...(isDrill ? ['JudgeDeep'] : [])],
    tidy: ['AwaitTornDown'],
  };
}

/** Nothing was affected, or it was restored, from its own backups and, where anything differed from Git, by a build. */
const configurationSteps = (timeline: Findings['timeline']): string[] => {
  if (!timeline.some(({ step }) => step === 'RestoreResources')) return ['JudgeFindings'];
  return ['RestoreResources', ...(timeline.some(({ step }) => step === 'Apply') ? ['Apply'] : []), 'JudgeRestored'];
};

/** Kubernetes reschedules by itself, or on nodes that were added. */
const nodeSteps = (timeline: Findings['timeline']): string[] =>
  timeline.some(({ step }) => step === 'HelpNodes') ? ['HelpNodes', 'AwaitHelped'] : ['AwaitRescheduled'];

/** Production runs and is protected, but Terraform would undo it: normal is when people have paid that debt. */
function returnToNormal(findings: Findings): ChecklistItem {
  const item = 'Return to normal operations';
  const { scope } = findings.record.incident;
  const ofDatabase = scope
    ? ['ValidateApplication', 'AwaitTornDown']
    : ['AwaitWorkload', 'ValidateApplication', 'AwaitProtected'];
  const steps = restoresNoData(findings.record.incident) ? ['ValidateApplication'] : ofDatabase;
  const recovered = fromSteps(item, steps, findings);
  if (recovered.state !== 'done') return recovered;
  const debt = findings.debt ? `; Terraform debt: ${findings.debt.import} is not in its state yet` : '';
  return { item, state: 'open', basis: `${recovered.basis}${debt}; for the DR Coordinator to confirm` };
}

/** Done when every one of these states succeeded. */
function fromSteps(item: string, steps: readonly string[], { timeline }: Findings, meaning?: string): ChecklistItem {
  const missing = steps.filter((step) => !timeline.some((each) => each.step === step && each.status === 'succeeded'));
  if (missing.length > 0) return { item, state: 'not-done', basis: `did not succeed: ${missing.join(', ')}` };
  const summaries = timeline
    .filter(({ step }) => steps.includes(step))
    .map(({ step, summary }) => `${step}: ${summary}`);
  return { item, state: 'done', basis: [...(meaning ? [meaning] : []), ...summaries].join('; ') };
}
