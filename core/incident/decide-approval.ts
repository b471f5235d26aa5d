/** A person's decision on a recovery that asked for one: who, why and when are recorded before it goes on. */
import * as z from 'zod';
import type { Approvals, Clock } from './ports.ts';

const Body = z.strictObject({
  incident: z.string().regex(/^(drill|recovery)-\d{8}T\d{6}Z-[0-9a-f]{8}$/),
  decision: z.enum(['approve', 'decline']),
  reason: z.string().trim().min(1).max(500),
});

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
  readonly statusCode: 200 | 400 | 403 | 404;
  readonly message: string;
}

const usage =
  'POST {"incident": "<incident id>", "decision": "approve" or "decline", "reason": "<why>"}, signed with IAM';

export async function decideApproval(
  { caller, body }: ApprovalRequest,
  { clock, approvals }: { readonly clock: Clock; readonly approvals: Approvals },
): Promise<ApprovalAnswer> {
  if (!caller) return { statusCode: 403, message: `Nobody is known to have asked. ${usage}.` };
  const parsed = Body.safeParse(parseJson(body));
  if (!parsed.success) return { statusCode: 400, message: `${z.prettifyError(parsed.error)}\n${usage}.` };
  const { incident, decision, reason } = parsed.data;
  const decided = await approvals.decide(incident, {
    approved: decision === 'approve',
    by: caller,
    reason,
    at: clock.now().toISOString(),
  });
  if (!decided)
    return {
      statusCode: 404,
      message: `Incident ${incident} waits for no approval: it may be decided, over, or a drill, which asks for none. Look at its execution in the Step Functions console.`,
    };
  return {
    statusCode: 200,
    message: `Incident ${incident}: ${decision === 'approve' ? 'approved' : 'declined'} by ${caller}.`,
  };
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return text;
  }
}
