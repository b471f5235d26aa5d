/** Production beats: without a fresh heartbeat nobody knows what a recovery would lose. */
import { formatSeconds, secondsBetween } from '../../incident/moments.ts';
import { within } from '../answer.ts';
import { defineCheck, notReady, ready } from '../check.ts';

/** Three beats, and what CloudWatch takes to show one: its minute's begin is what is known of it. */
const freshSeconds = 240;

export const heartbeat = defineCheck({
  name: 'heartbeat',
  title: 'Heartbeats of production fail, or have stopped',
  dependsOn: 'primary',
  scenarios: ['database', 'region'],
  facts: ({ heartbeat: source }) => within(source, (answer) => answer),
  judge: ({ newest, failed, written }, { now }) => {
    if (newest === null) return notReady('no heartbeat was written or tried of late');
    const age = secondsBetween(newest, now);
    const evidence = { newest, written };
    if (age > freshSeconds) return notReady(`the newest heartbeat is ${formatSeconds(age)} old`, { evidence });
    return failed
      ? notReady('the newest heartbeat failed', { evidence })
      : ready('the newest heartbeat was written within the last minutes', { evidence });
  },
});
