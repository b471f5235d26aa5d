/** Asks a named person before a cluster is rebuilt: what is lost, what Terraform and the manifests would change. */
import { dr } from '../commands.ts';
import { type Approval, type Incident, recordVersion } from '../incident/contracts.ts';
import type { RequestApprovalContext } from '../incident/request-approval.ts';
import type { StepResult } from '../step.ts';
import type { Rebuild } from './contracts.ts';

interface Question {
  readonly incident: Incident;
  readonly reasons: readonly string[];
  readonly rebuild: Pick<Rebuild, 'question'>;
  /** A bearer secret: it goes to the store and nowhere else. */
  readonly taskToken: string;
}

/** Answers nothing: the state waits until the token is given back with a person's decision. */
export async function requestClusterApproval(
  { incident, reasons, rebuild, taskToken }: Question,
  { settings, clock, approvals, announcer }: RequestApprovalContext,
): Promise<StepResult<Record<string, never>>> {
  const now = clock.now();
  const { trigger, id, target } = incident;
  const approval: Approval = {
    version: recordVersion,
    incidentId: id,
    executionArn: incident.executionArn,
    region: incident.region,
    askedAt: now.toISOString(),
    expiresAt: new Date(now.getTime() + settings.approval.timeoutSeconds * 1000).toISOString(),
    ...(trigger.kind === 'person' && trigger.name !== undefined ? { startedBy: trigger.name } : {}),
    plan: {
      source: target,
      candidate: target,
      damage: [...reasons],
      estimatedLossSeconds: 0,
      changes: [...rebuild.question],
    },
  };
  // The same token again: the question is on record, and people were asked.
  if (await approvals.ask(approval, taskToken))
    await announcer.announce(incident, {
      kind: 'approval-wanted',
      headline: `Approve the recovery of ${target}?`,
      lines: [
        `Reason: ${incident.reason}`,
        ...rebuild.question,
        'Until then nothing is changed. Exactly these changes are made on approval: if Terraform would do anything else by then, it stops',
        `Without an answer by ${approval.expiresAt} the recovery is declined`,
      ],
      next: [
        `${dr(`approve ${id}`, settings.environment)} --reason "…"`,
        `${dr(`decline ${id}`, settings.environment)} --reason "…"`,
        `or POST {"incident": "${id}", "decision": "approve" or "decline", "reason": "…"}, signed with IAM, to the approval URL (output of the stack in ${settings.dr.region}).`,
      ].join('; '),
    });
  return {
    output: {},
    summary: `asked to approve until ${approval.expiresAt}`,
    facts: { expiresAt: approval.expiresAt, changes: rebuild.question },
    waits: true,
  };
}
