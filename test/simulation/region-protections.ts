/** The protections of a failover of the Region, each of which can be taken out of the bundle. */
import type { Plan } from './plan.ts';
import type { Protection } from './protections.ts';
import type { RegionTrouble } from './region-plan.ts';

const troubled = <K extends RegionTrouble['kind']>({ region = [] }: Plan, kind: K) =>
  region.find((each): each is Extract<RegionTrouble, { kind: K }> => each.kind === kind);
const approves = ({ acts }: Plan) =>
  acts.some((act) => act.kind === 'answer' && act.answer === 'approve' && act.afterMs < 600_000);
const isLeftAlone = ({ faults, acts }: Plan) => faults.length === 0 && !acts.some(({ kind }) => kind === 'cancel');

export const regionProtections: readonly Protection[] = [
  {
    name: 'quorum',
    scenario: 'region',
    // One signal is cut for three looks before somebody takes the failover up again: rare.
    seed: 5538,
    edits: [
      {
        file: 'core/region/judge.ts',
        text: "return { state: lost.length >= quorum ? 'lost' : 'undecided', reasons };",
        instead: "return { state: lost.length > 0 ? 'lost' : 'undecided', reasons };",
      },
    ],
    guards: [8],
    matters: (plan) =>
      plan.beginning.kind === 'failover' &&
      plan.beginning.mode === 'recovery' &&
      plan.beginning.style === 'ungraceful' &&
      plan.beginning.waives === undefined &&
      plan.variant === undefined &&
      troubled(plan, 'dark') === undefined &&
      troubled(plan, 'cut')?.signals.length === 1,
  },
  {
    name: 'guard',
    scenario: 'region',
    seed: 18,
    edits: [
      {
        file: 'core/region/guard-database.ts',
        text: 'for (const instance of await formerIn(active, context)) {',
        instead: 'for (const instance of [] as Awaited<ReturnType<typeof formerIn>>) {',
      },
    ],
    guards: [1],
    matters: (plan) =>
      plan.beginning.kind === 'region-lost' &&
      plan.variant === undefined &&
      approves(plan) &&
      isLeftAlone(plan) &&
      troubled(plan, 'dark')?.returns === undefined,
  },
  {
    name: 'latch',
    scenario: 'region',
    seed: 38,
    edits: [{ file: 'core/region/latch.ts', text: 'await store.writeLatch(latch);', instead: 'void store;' }],
    guards: [2],
    matters: (plan) =>
      (plan.beginning.kind !== 'failover' || plan.beginning.mode === 'recovery') &&
      plan.variant === undefined &&
      approves(plan) &&
      isLeftAlone(plan) &&
      troubled(plan, 'latch') === undefined,
  },
  {
    name: 'way on behind the cut-over',
    scenario: 'failback',
    seed: 15,
    edits: [
      {
        file: 'core/region/own-cut-over.ts',
        text: "if (mode === 'drill' || active.region !== here.region)",
        instead: 'if (mode.length > 0)',
      },
    ],
    guards: [2],
    matters: (plan) => approves(plan) && isLeftAlone(plan) && troubled(plan, 'behind')?.what === 'denied',
  },
  {
    name: 'tenure',
    scenario: 'region',
    variant: 'strict',
    seed: 206,
    edits: [
      {
        file: 'core/region/end-tenure.ts',
        text: 'if (isBefore(now, from))',
        instead: "if (settings.environment === '')",
      },
    ],
    guards: [1],
    matters: (plan) =>
      plan.variant === 'strict' &&
      plan.beginning.kind === 'failover' &&
      plan.beginning.mode === 'recovery' &&
      plan.beginning.style === 'ungraceful' &&
      plan.beginning.waives !== undefined &&
      approves(plan) &&
      isLeftAlone(plan) &&
      troubled(plan, 'promotion-stalls') === undefined &&
      (troubled(plan, 'parted')?.fromMs ?? Number.POSITIVE_INFINITY) < 60_000,
  },
  {
    name: 'date of the application’s roles',
    scenario: 'region',
    variant: 'strict',
    seed: 79,
    edits: [
      {
        file: 'core/region/hold-tenure.ts',
        text: 'await inProduction(active, context, (session, roles) => renewExpiry(session, roles, expiry));',
        instead: 'void renewExpiry;',
      },
    ],
    guards: [1],
    // A Region that dies whole, and returns once production has left it.
    matters: (plan) =>
      plan.variant === 'strict' &&
      plan.beginning.kind === 'region-lost' &&
      approves(plan) &&
      troubled(plan, 'dark') !== undefined &&
      troubled(plan, 'dark')?.returns === undefined,
  },
];
