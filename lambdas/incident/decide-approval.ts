import { ApprovalCall, decideApproval } from '../../core/incident/decide-approval.ts';
import { approvals } from '../adapters/aws/approvals.ts';
import { makeHandler } from '../handler.ts';

export const handler = makeHandler(ApprovalCall, async (call, rt) => {
  const { statusCode, message } = await decideApproval(call, { ...rt, approvals: approvals(rt) });
  return { statusCode, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ message }) };
});
