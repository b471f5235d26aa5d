/** The recovery checklist of the disaster recovery plan, ticked from facts. What only people do stays open for them. */
import type { ChecklistItem, Report } from './contracts.ts';

export type Findings = Pick<Report, 'record' | 'objectives' | 'timeline' | 'messages'> & {
  readonly failure: Report['failure'];
};

export function checklist(findings: Findings): ChecklistItem[] {
  const { record, messages } = findings;
  const isDrill = record.incident.mode === 'drill';
  const declared = messages.find(({ kind }) => kind === 'declared');
  const undelivered = messages.filter(({ failure }) => failure !== undefined).length;
  return [
    fromSteps('Assess the disaster impact and scope', ['AssessDatabase'], findings),
    {
      item: 'Declare disaster and activate DR plan',
      state: declared ? 'done' : 'not-done',
      basis: declared ? `${isDrill ? 'declared as a drill' : 'declared'} at ${declared.at}` : 'nothing was declared',
    },
    {
      item: 'Assemble DR team',
      state: isDrill ? 'not-applicable' : 'open',
      basis: isDrill ? 'not applicable in a drill: nobody is called together' : 'for the DR Coordinator to confirm',
    },
    fromSteps('Execute appropriate recovery procedures', ['RestoreDatabase', 'CutOver'], findings),
    fromSteps(
      'Validate recovered systems',
      ['JudgeGate', 'ValidateApplication', 'ValidatePerformance', 'JudgeDeep'],
      findings,
    ),
    {
      item: 'Communicate status to stakeholders',
      state: messages.length > 0 && undelivered === 0 ? 'done' : 'not-done',
      basis: `${messages.length} messages to the internal topic, ${undelivered} of them undelivered${isDrill ? '; customers: not applicable in a drill' : ''}`,
    },
    isDrill
      ? {
          ...fromSteps('Return to normal operations', ['AwaitTornDown'], findings, 'the drill left nothing behind'),
        }
      : { item: 'Return to normal operations', state: 'open', basis: 'for the DR Coordinator to confirm' },
    { item: 'Conduct post-incident review', state: 'open', basis: 'a draft is in this report' },
    {
      item: 'Update DR plan based on lessons learned',
      state: 'open',
      basis: 'for the DR Coordinator, after the review',
    },
  ];
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
