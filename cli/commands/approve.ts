/** `dr approve` and `dr decline`: a person's decision on a recovery that asks. */
import { decide } from '../approval.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { operatorAt } from '../operator.ts';
import type { DecisionOptions } from '../operator-options.ts';

/** Exit 0: decided as wanted. 1: refused, for the reason that is shown. 2: the input was. */
export async function decideOn(decision: 'approve' | 'decline', options: DecisionOptions): Promise<ExitCode> {
  const { dr, names } = await operatorAt(options);
  const { incident, reason, restoreTo } = options;
  const answer = await decide(dr.lambda, names.lambda('incident/decide-approval'), {
    incident,
    decision,
    reason,
    restoreTo,
  });
  (answer.status === 200 ? process.stdout : process.stderr).write(`${answer.message}\n`);
  if (answer.status === 200) return exitCodes.passed;
  return answer.status === 400 ? exitCodes.usage : exitCodes.failed;
}
