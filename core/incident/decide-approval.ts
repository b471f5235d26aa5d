/** A person's decision on a recovery that asked for one: who, why and when are recorded before it goes on. */

import * as z from 'zod';
import { dr } from '../commands.ts';
import type { Settings } from '../settings.ts';
import { type Approval, type ApprovalDecision, RestoreTo } from './contracts.ts';
import { isIncidentId } from './identifiers.ts';
import { isBefore, isRealMoment } from './moments.ts';
import type { Approvals, Clock } from './ports.ts';

const Body = z.strictObject({
  incident: z.string().refine(isIncidentId, 'must be an incident id, such as recovery-20261122T201500Z-1a2b3c4d'),
  decision: z.enum(['approve', 'decline']),
  reason: z.string().trim().min(1).max(500),
  restoreTo: RestoreTo.optional(),
});
type Body = z.infer<typeof Body>;

/** The event of the function URL (payload 2.0): who IAM authenticated, and what they sent. */
export const ApprovalCall = z
  .object({
    requestContext: z.object({ authorizer: z.object({ iam: z.object({ userArn: z.string() }) }).optional() }),
    body: z.string().optional(),
    isBase64Encoded: z.boolean().default(false),
  })
  .transform(({ requestContext, body, isBase64Encoded }): ApprovalRequest => {
    const text = body !== undefined && isBase64Encoded ? Buffer.from(body, 'base64').toString() : body;
    return { caller: requestContext.authorizer?.iam.userArn, body: text };
  });

export interface ApprovalRequest {
  /** ARN of the identity that IAM authenticated. */
  readonly caller: string | undefined;
  readonly body: string | undefined;
}

export interface ApprovalAnswer {
  readonly statusCode: 200 | 400 | 403 | 404 | 409;
  readonly message: string;
}

export interface DecideApprovalContext {
  readonly settings: Pick<Settings, 'approval' | 'environment'>;
  readonly clock: Clock;
  readonly approvals: Pick<Approvals, 'read' | 'decide'>;
}

const usage =
  'POST {"incident": "<incident id>", "decision": "approve" or "decline", "reason": "<why>"} and, to choose the restore point, "restoreTo": "latest", a UTC time, {"snapshot": "<identifier>"} or {"dump": "<name>"}, signed with IAM';
const over = (incident: string, { environment }: DecideApprovalContext['settings']) =>
  `See how it stands: ${dr(`watch ${incident}`, environment)}. If it has failed, this asks again: ${dr(`retry ${incident}`, environment)}.`;

export async function decideApproval(
  { caller, body }: ApprovalRequest,
  { settings, clock, approvals }: DecideApprovalContext,
): Promise<ApprovalAnswer> {
  if (!caller) return { statusCode: 403, message: `Nobody is known to have asked. ${usage}.` };
  const parsed = Body.safeParse(parseJson(body));
  if (!parsed.success) return { statusCode: 400, message: `${z.prettifyError(parsed.error)}\n${usage}.` };
  const { incident, decision, reason, restoreTo } = parsed.data;
  const now = clock.now().toISOString();
  const approval = await approvals.read(incident);
  if (approval === undefined)
    return {
      statusCode: 404,
      message: `Incident ${incident} waits for no approval: it has not asked yet, or is a drill, which asks for none. ${over(incident, settings)}`,
    };
  if (approval.decision === undefined) {
    const refusal = refuse(parsed.data, approval, { caller, now, settings });
    if (refusal) return refusal;
  }
  const decided = await approvals.decide(approval, {
    approved: decision === 'approve',
    by: caller,
    reason,
    at: now,
    ...(restoreTo === undefined ? {} : { restoreTo }),
  });
  if (decided.outcome === 'decided')
    return { statusCode: 200, message: `Incident ${incident}: ${wordOf(decision === 'approve')} by ${caller}.` };
  if (decided.outcome === 'decided-before') return { statusCode: 409, message: standing(incident, decided.first) };
  return {
    statusCode: 409,
    message: `The execution of incident ${incident} does not wait any more; nothing was decided. ${over(incident, settings)}`,
  };
}

/** Why this decision cannot be taken; undefined where it can. */
function refuse(
  { incident, decision, restoreTo }: Body,
  { expiresAt, startedBy, plan }: Approval,
  { caller, now, settings }: { caller: string; now: string; settings: DecideApprovalContext['settings'] },
): ApprovalAnswer | undefined {
  const bad = (message: string): ApprovalAnswer => ({ statusCode: 400, message });
  if (!isBefore(now, expiresAt))
    return {
      statusCode: 409,
      message: `Nobody answered incident ${incident} by ${expiresAt}: it is declined. ${over(incident, settings)}`,
    };
  if (decision === 'decline') return restoreTo === undefined ? undefined : bad('restoreTo belongs to an approval.');
  if (!settings.approval.starterMayApprove && startedBy === caller)
    return {
      statusCode: 403,
      message: `${caller} started incident ${incident}: somebody else approves it (approval.starterMayApprove).`,
    };
  const window = plan.window ? ` Restorable: from ${plan.window.earliest} until before ${plan.window.latest}.` : '';
  if (restoreTo !== undefined && plan.changes !== undefined) return bad('restoreTo is of databases: leave it out.');
  if (restoreTo === undefined)
    return plan.restorePoint === undefined && plan.changes === undefined
      ? bad(`restoreTo is missing: no sound look bounds the damage, so a person chooses.${window}`)
      : undefined;
  if (typeof restoreTo === 'object' || restoreTo === 'latest') return undefined;
  const possible =
    isRealMoment(restoreTo) && isBefore(restoreTo, now) && !(plan.window && isBefore(restoreTo, plan.window.earliest));
  return possible ? undefined : bad(`restoreTo = ${restoreTo} cannot be restored.${window}`);
}

const wordOf = (approved: boolean) => (approved ? 'approved' : 'declined');

const standing = (incident: string, { approved, by, at, reason }: ApprovalDecision) =>
  `Incident ${incident} was ${wordOf(approved)} at ${at} by ${by} ("${reason}"). The first decision stands.`;

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return text;
  }
}
