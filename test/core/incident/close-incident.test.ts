/** What customers are told when an incident is closed. */
import { expect, test } from 'vitest';
import { closeIncident } from '../../../core/incident/close-incident.ts';
import { unfenceSource } from '../../../core/incident/identifiers.ts';
import {
  FakeAnnouncer,
  FakeApprovals,
  FakeClock,
  FakeCompensations,
  FakeControl,
  FakeIncidents,
  makeIncident,
  makeRecord,
  makeStepRecord,
} from '../fakes.ts';

const failure = { Error: 'Boom', Cause: 'x' };
const recoveredAt = '2026-11-22T20:31:00.000Z';

/** An incident that was fenced, with more of its timeline. */
async function closing(scenario: 'database' | 'region', failed: boolean, steps: readonly string[]) {
  const incident = makeIncident({ mode: 'recovery', scenario });
  const announcer = new FakeAnnouncer();
  const incidents = new FakeIncidents();
  const compensations = new FakeCompensations();
  await incidents.open(makeRecord({ recoveredAt }, incident));
  const fence = scenario === 'region' ? 'FencePrimary' : 'FenceSource';
  const facts = { restorePoint: '2026-11-22T20:05:00.000Z', estimatedLossSeconds: 60 };
  incidents.timeline.push(makeStepRecord('AssessRegion', { facts }));
  incidents.timeline.push(...[fence, ...steps].map((step) => makeStepRecord(step)));
  await compensations.register(incident.id, unfenceSource, {});
  const close = () =>
    closeIncident(
      { incident, ...(failed ? { failure } : {}) },
      {
        ...{ incidents, announcer, compensations, clock: new FakeClock(), control: new FakeControl() },
        ...{
          approvals: new FakeApprovals(),
          metrics: { put: async () => {} },
          release: 'r',
          drills: { record: async () => {} },
        },
        evidence: { location: (key: string) => key, put: async () => {} },
      },
    );
  return { close, compensations, told: () => announcer.announced.at(-1)?.customers?.subject };
}

test.each([
  { case: 'a move that is over', failed: false, steps: ['ValidateApplication', 'AwaitTraffic'], says: /works again/ },
  { case: 'one that failed when traffic had moved', failed: true, steps: ['AwaitTraffic'], says: /works again/ },
  { case: 'one that is healthy, and to which nobody is led', failed: true, steps: [], says: /still interrupted/ },
])('of $case', async ({ failed, steps, says }) => {
  const { close, told } = await closing('region', failed, steps);
  await close();
  expect(told()).toMatch(says);
});

test('of a fence that was lifted, by whatever lifted it', async () => {
  const { close, compensations, told } = await closing('region', true, []);
  const [open] = await compensations.open();
  if (open) await compensations.done(open, { outcome: 'it takes writes again', takesWrites: true });
  await close();
  expect(told()).toMatch(/takes changes again/);
});

test('and what cannot be found out about the fence keeps nobody from hearing that it failed', async () => {
  const { close, compensations, told } = await closing('region', true, []);
  compensations.last = () => Promise.reject(new Error('throttled'));
  await close();
  expect(told()).toMatch(/still interrupted/);
});
