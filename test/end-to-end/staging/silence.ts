/** Production falls silent where alarms may start nothing: people are told, and a drill gives way. */
import { afterAll, describe, expect, test } from 'vitest';
import { invoke } from '../../../cli/clients.ts';
import { eventually } from '../../support/rehearsal.ts';
import { site } from '../site.ts';

describe('a database that falls silent', () => {
  const alarm = () => site.names.alarm('database-heartbeat-missing');
  afterAll(() => site.sql('alter role stocker_dr_heartbeat login'));
  const triaged = async () => (await site.decisions()).filter((decision) => decision.alarm === alarm());
  const ring = (alarmName: string, state: string) =>
    invoke(site.installation.clients.lambda, site.names.lambda('incident/triage-alarm'), {
      'detail-type': 'CloudWatch Alarm State Change',
      time: new Date().toISOString(),
      detail: { alarmName, state: { value: state } },
    });

  test('rings by its missing heartbeats; triage runs once, says why it starts nothing, and tells people', async () => {
    await eventually('a quiet alarm', async () => (await site.alarms())[alarm()] === 'OK');
    const before = (await triaged()).length;
    await site.sql('alter role stocker_dr_heartbeat nologin');
    await eventually('the alarm', async () => (await site.alarms())[alarm()] === 'ALARM');
    const decision = await eventually('the triage', async () => (await triaged())[before]);
    expect(decision).toMatchObject({ verdict: 'record', reasons: [expect.stringContaining('is off')] });
    const told = () => site.notices.filter(({ subject }) => subject.includes(alarm().slice(0, 40)));
    expect(
      await eventually('a message', () => told().find(({ text }) => text.includes('nothing was started'))),
    ).toBeDefined();
  });

  test('rings ten times more, and nothing changes', async () => {
    const before = await site.executions();
    const earlier = (await triaged()).length;
    for (let time = 0; time < 10; time++) await ring(alarm(), 'ALARM');
    const decisions = await triaged();
    // Not one more than the rings: the alarm itself rang once.
    expect(decisions).toHaveLength(earlier + 10);
    expect(new Set(decisions.map(({ verdict }) => verdict))).toEqual(new Set(['record']));
    expect(await site.executions()).toEqual(before);
    expect(await site.leftovers()).toEqual([]);
  });

  test('is not what an event says whose alarm is over', async () => {
    const over = await eventually(
      'an alarm that is over',
      async () => Object.entries(await site.alarms()).find(([, state]) => state === 'OK')?.[0],
    );
    await ring(over, 'ALARM');
    const decisions = (await site.decisions()).filter((decision) => decision.alarm === over);
    expect(decisions.at(-1)).toMatchObject({
      verdict: 'record',
      reasons: ['the alarm is no longer in ALARM but OK'],
    });
  });

  test('defers the scheduled drill', async () => {
    const before = new Set(await site.executions());
    await site.installation.cloud.fireSchedule(site.names.schedule('database-drill'), site.region);
    const fresh = async () => (await site.executions()).find((arn) => !before.has(arn));
    const ended = await site.end(await eventually('an execution', fresh));
    expect(ended).toMatchObject({ status: 'FAILED', error: 'DrillDeferred' });
    expect(ended.cause).toContain(alarm());
    expect(await site.leftovers()).toEqual([]);
  });
});
