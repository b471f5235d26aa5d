/** Strict fencing: the tenure of production is renewed, and both Regions know of the same renewal. */
import { formatSeconds, isBefore, secondsBetween } from '../../incident/moments.ts';
import { both, within } from '../answer.ts';
import { defineCheck, notReady, ready } from '../check.ts';
import type { Answer, FactsOf } from '../facts.ts';

type Tenures = Extract<FactsOf<'records'>['tenure'], { found: unknown }>['found'];
type Seen = Pick<Extract<Tenures['held'], { found: unknown }>, 'found'>['found'];
type Remembered = Extract<Tenures['remembered'], { found: unknown }>['found'];

/** Three looks of the guard, which renews at each. */
const freshSeconds = 180;

export const tenure = defineCheck({
  name: 'tenure',
  title: 'The tenure of production is not renewed: it stops soon, or a failover cannot rely on its fence',
  dependsOn: 'primary',
  scenarios: ['region'],
  facts: ({ records }, { settings, run }): Answer<readonly [Seen, Remembered] | 'elsewhere'> =>
    run.activeRegion === settings.primary.region
      ? within(records, ({ tenure: source }) => within(source, ({ held, remembered }) => both(held, remembered)))
      : { found: 'elsewhere' },
  exempt: ({ region }) =>
    region.fencing.mode === 'strict' ? undefined : 'the primary is not to fence itself (region.fencing)',
  judge: (answers, { settings, run, now }) => {
    if (answers === 'elsewhere')
      return {
        verdict: 'not-applicable',
        reason: `production is in ${run.activeRegion}, which cannot be cut off from itself`,
      };
    const [held, remembered] = answers;
    const { region } = settings.primary;
    if (held === null || held.renewedAt === null) return notReady(`nobody has ever renewed the tenure of ${region}`);
    const evidence = { held, remembered };
    if (held.endedBy !== null)
      return notReady(`${held.endedBy} has ended the tenure of ${region}, and nobody has renewed it since`, {
        evidence,
      });
    if (remembered === null)
      return notReady(`the guard in ${region} remembers no renewal, and would never fence production`, { evidence });
    if (isBefore(held.renewedAt, remembered.renewedAt))
      return notReady(
        `the guard in ${region} remembers a renewal of ${remembered.renewedAt}, the DR Region one of ${held.renewedAt}: a failover would not wait long enough`,
        { evidence },
      );
    const { fencing } = settings.region;
    const limit = fencing.mode === 'strict' ? Math.min(fencing.tenureSeconds, freshSeconds) : freshSeconds;
    const age = secondsBetween(remembered.renewedAt, now);
    if (age > limit)
      return notReady(`the tenure of ${region} was last renewed ${formatSeconds(age)} ago; it is every minute`, {
        evidence,
      });
    return remembered.fenced.length > 0
      ? notReady(`the guard in ${region} has closed ${remembered.fenced.join(', ')}, and not opened it yet`, {
          evidence,
        })
      : ready(`the tenure of ${region} was renewed ${formatSeconds(Math.max(0, age))} ago`, { evidence });
  },
});
