import { expect, test } from 'vitest';
import { validatePerformance } from '../../../core/validation/validate-performance.ts';
import { FakeClock, makeIncident, settings } from '../fakes.ts';

const limits = { warmUpRequests: 2, requests: 100, p95Milliseconds: 250, baselineFactor: 2 };

/** Asks a canary that takes as long as `durations` say, the warm-up included. */
async function measure(durationOf: (request: number) => number) {
  let requests = 0;
  const outcome = await validatePerformance(
    {
      incident: makeIncident(),
      candidate: { identifier: 'copy', resourceId: 'db-COPY', address: 'copy', port: 5432, database: 'stocker' },
    },
    {
      settings: { ...settings, validation: { ...settings.validation, performance: limits } },
      clock: new FakeClock(),
      parameters: { read: async () => 'http://canary' },
      performance: { read: async () => undefined, write: async () => {} },
      http: {
        async request() {
          requests += 1;
          return { status: 200, headers: {}, body: '[]', elapsedMilliseconds: durationOf(requests) };
        },
      },
    },
  ).catch((error: unknown) => error);
  return { outcome, requests };
}

test('measures every request after the warm-up where five in a hundred are slow', async () => {
  const { outcome, requests } = await measure((request) => (request <= 7 ? 5000 : 20));
  expect(outcome).toMatchObject({ output: { p95Milliseconds: 20 } });
  expect(requests).toBe(102);
});

test('refuses a slow copy as soon as it cannot pass, instead of running out of time', async () => {
  const { outcome, requests } = await measure(() => 5000);
  expect(outcome).toMatchObject({ name: 'PerformanceRefused' });
  expect(requests).toBe(2 + 6);
});
