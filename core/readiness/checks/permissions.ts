/** Every role may do what it does in a recovery, by the simulator of IAM: a missing permission fails here, not in the disaster. */
import { formatSeconds, secondsBetween } from '../../incident/moments.ts';
import { within } from '../answer.ts';
import { defineCheck, notReady, ready } from '../check.ts';

/** The reason names so many; the evidence has more. */
const named = 3;

export const permissions = defineCheck({
  name: 'permissions',
  title: 'A role may not do what it does in a recovery',
  dependsOn: 'global',
  scenarios: ['database', 'region'],
  facts: ({ permissions: source }) => within(source, (answer) => answer),
  judge: ({ at, simulated, denied }, { now }) => {
    const age = `simulated ${formatSeconds(Math.max(0, secondsBetween(at, now)))} ago`;
    const more = { evidence: { simulated, denied }, seenAt: at };
    if (denied.length === 0) return ready(`${simulated} calls are allowed, ${age}`, more);
    const list = denied.slice(0, named).map(({ role, action, resource }) => `${role}: ${action} on ${resource}`);
    const rest = denied.length > named ? ` and ${denied.length - named} more` : '';
    return notReady(`${denied.length} calls are denied (${age}): ${list.join('; ')}${rest}`, more);
  },
});
