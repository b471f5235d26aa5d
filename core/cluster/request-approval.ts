/** Asks a named person before builds change production: what is lost, what Terraform and the manifests would change. */
import type { Incident } from '../incident/contracts.ts';
import { ask, howToAnswer, type RequestApprovalContext } from '../incident/request-approval.ts';
import type { StepResult } from '../step.ts';
import type { Rebuild } from './contracts.ts';

interface Question {
  readonly incident: Incident;
  readonly reasons: readonly string[];
  /** One line for each change. */
  readonly asked: Pick<Rebuild, 'question'>;
  /** A bearer secret: it goes to the store and nowhere else. */
  readonly taskToken: string;
}

/** Answers nothing: the state waits until the token is given back with a person's decision. */
export async function requestClusterApproval(
  { incident, reasons, asked, taskToken }: Question,
  context: RequestApprovalContext,
): Promise<StepResult<Record<string, never>>> {
  const { target } = incident;
  const changes = [...asked.question];
  const { expiresAt } = await ask(
    { incident, taskToken },
    { source: target, candidate: target, damage: [...reasons], estimatedLossSeconds: 0, changes },
    (approval) => ({
      kind: 'approval-wanted',
      headline: `Approve the recovery of ${target}?`,
      lines: [
        `Reason: ${incident.reason}`,
        ...changes,
        'Until then nothing is changed. Exactly these changes are made on approval: if Terraform would do anything else by then, it stops',
        `Without an answer by ${approval.expiresAt} the recovery is declined`,
      ],
      next: howToAnswer(incident, context.settings),
    }),
    context,
  );
  return { output: {}, summary: `asked to approve until ${expiresAt}`, facts: { expiresAt, changes }, waits: true };
}
