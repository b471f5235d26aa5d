/** `dr approve` and `dr decline`: a person's decision on a recovery that asks. */
import { decide } from '../approval.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { dr as hint } from '../hints.ts';
import { operatorAt, requireIncident } from '../operator.ts';
import type { DecisionOptions } from '../operator-options.ts';

/** Exit 0: decided as wanted. 1: refused, for the reason that is shown. 2: the input was. */
export async function decideOn(decision: 'approve' | 'decline', options: DecisionOptions): Promise<ExitCode> {
  const operator = await operatorAt(options);
  const { dr, names } = operator;
  const { incident, reason, restoreTo } = options;
  const answer = await decide(dr.lambda, names.lambda('incident/decide-approval'), {
    incident,
    decision,
    reason,
    restoreTo,
  });
  // Decisions live in the DR Region and need no other: only where there is none, the incident is looked for.
  if (answer.status === 404) await requireIncident(operator, incident);
  const decided = answer.status === 200;
  (decided ? process.stdout : process.stderr).write(`${answer.message}\n`);
  if (decided && decision === 'approve') process.stdout.write(`Follow it: ${hint(`watch ${incident}`)}\n`);
  if (decided && decision === 'decline')
    process.stdout.write(`Nothing was changed. To decide anew: ${hint(`retry ${incident}`)}\n`);
  if (decided) return exitCodes.passed;
  return answer.status === 400 ? exitCodes.usage : exitCodes.failed;
}
