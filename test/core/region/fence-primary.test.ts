import { describe, expect, test } from 'vitest';
import { comesUpWithin, type FencePrimaryContext, fencePrimary } from '../../../core/region/fence-primary.ts';
import { FakeCompensations, FakeDatabases, makePlan, restoring } from '../database/fakes.ts';
import { activeDatabase, FakeAnnouncer, FakeClock, FakeControl, makeIncident, makeLease, settings } from '../fakes.ts';
import { failover } from './fakes.ts';

const incident = makeIncident({ scenario: 'region', mode: 'recovery', region: 'us-west-2' });
const source = { identifier: 'stocker-pro-staging', resourceId: 'db-PRODUCTION', address: 'primary', port: 5432 };
const nobody = (code: string) => ({
  open: () => Promise.reject(Object.assign(new Error(`connect ${code}`), { code })),
});
const login = (name: string) => ({ username: name.endsWith('master') ? 'postgres' : 'stocker_app', password: 'x' });

function fence(style: 'graceful' | 'ungraceful', sessions: FencePrimaryContext['sessions'], before = 0) {
  const announcer = new FakeAnnouncer();
  const lease = makeLease({ incidentId: incident.id, executionArn: incident.executionArn });
  const done = fencePrimary({ incident, plan: makePlan({ source, failover: failover({ style }) }), before }, {
    ...restoring(),
    settings,
    clock: new FakeClock(),
    announcer,
    compensations: new FakeCompensations(),
    control: Object.assign(new FakeControl(), { active: activeDatabase, lease }),
    databases: new FakeDatabases(),
    secrets: { credentials: async (name) => login(name) },
    sessions,
  } as FencePrimaryContext);
  return { done, announcer };
}

describe('a primary that does not answer', () => {
  test.each(['ECONNREFUSED', 'ETIMEDOUT'])('(%s) is left to its guard by a failover', async (code) => {
    const { done, announcer } = fence('ungraceful', nobody(code));
    expect((await done).output).toEqual({ outcome: 'unreached' });
    expect(announcer.announced).toEqual([]);
  });
  test('ends a switchover, which loses nothing or does not happen', async () => {
    await expect(fence('graceful', nobody('ECONNREFUSED')).done).rejects.toThrow();
  });
});

test('a primary that answers and refuses the master ends a failover: it may take writes', async () => {
  const refusing = { open: () => Promise.reject(Object.assign(new Error('password'), { code: '28P01' })) };
  await expect(fence('ungraceful', refusing).done).rejects.toMatchObject({ name: 'FenceFailed' });
});

describe('a primary that is half up', () => {
  test.each(['57P03', 'ECONNRESET'])('(%s) is waited for, and then left to its guard by a failover', async (code) => {
    const early = fence('ungraceful', nobody(code), comesUpWithin - 1).done;
    await expect(early).rejects.toMatchObject({ name: 'DatabaseNotReady', retryable: true });
    const { done, announcer } = fence('ungraceful', nobody(code), comesUpWithin);
    const { output, summary } = await done;
    expect(output).toEqual({ outcome: 'unreached' });
    expect(summary).toContain('takes no sessions, and cannot be fenced yet: its guard does it');
    expect(announcer.announced).toEqual([]);
  });
  test.each(['57P03', 'ECONNRESET'])('(%s) ends a switchover, however long it was waited for', async (code) => {
    await expect(fence('graceful', nobody(code), comesUpWithin).done).rejects.toMatchObject({
      name: 'DatabaseNotReady',
    });
  });
  test('is alive where it opens a session and loses it: that ends a failover', async () => {
    const lost = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    const dropping = { open: async () => ({ query: () => Promise.reject(lost), close: async () => undefined }) };
    await expect(fence('ungraceful', dropping, comesUpWithin).done).rejects.toMatchObject({ name: 'DatabaseNotReady' });
  });
  test('is alive where it has no connection left: that ends a failover, and says what to do', async () => {
    await expect(fence('ungraceful', nobody('53300'), comesUpWithin).done).rejects.toMatchObject({
      name: 'ConnectionsExhausted',
      retryable: true,
      next: expect.stringMatching(/End sessions there.*dr -- retry/),
    });
  });
});
