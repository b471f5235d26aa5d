import { describe, expect, test } from 'vitest';
import { type FencePrimaryContext, fencePrimary } from '../../../core/region/fence-primary.ts';
import { FakeCompensations, FakeDatabases, makePlan, restoring } from '../database/fakes.ts';
import { activeDatabase, FakeAnnouncer, FakeClock, FakeControl, makeIncident, makeLease, settings } from '../fakes.ts';
import { failover } from './fakes.ts';

const incident = makeIncident({ scenario: 'region', mode: 'recovery', region: 'us-west-2' });
const source = { identifier: 'stocker-pro-staging', resourceId: 'db-PRODUCTION', address: 'primary', port: 5432 };
const nobody = (code: string) => ({
  open: () => Promise.reject(Object.assign(new Error(`connect ${code}`), { code })),
});
const login = (name: string) => ({ username: name.endsWith('master') ? 'postgres' : 'stocker_app', password: 'x' });

function fence(style: 'graceful' | 'ungraceful', sessions: FencePrimaryContext['sessions']) {
  const announcer = new FakeAnnouncer();
  const lease = makeLease({ incidentId: incident.id, executionArn: incident.executionArn });
  const done = fencePrimary({ incident, plan: makePlan({ source, failover: failover({ style }) }) }, {
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
