import { expect, test } from 'vitest';
import { chatMessage } from '../../../core/communications/chat-schema.ts';
import { composeMessage, type Occasion, subjectLine } from '../../../core/communications/messages.ts';
import { MessageKind } from '../../../core/incident/contracts.ts';
import { makeIncident, settings } from '../fakes.ts';

const occasion: Occasion = {
  incident: makeIncident(),
  announcement: { kind: 'milestone', headline: 'The copy is validated', lines: ['112 of 112 checks passed'] },
  now: '2026-11-22T20:18:10.000Z',
};

test('a message says mode, environment, time against the RTO, whom it addresses and what is next', () => {
  const { subject, text } = composeMessage(occasion, settings);
  expect(subject).toBe('DRILL - staging - The copy is validated');
  expect(text.split('\n')).toEqual([
    'DRILL - staging - The copy is validated',
    'This is a drill on a copy; production and customers are not affected.',
    '112 of 112 checks passed',
    'Elapsed: 3 min 10 s of the RTO of 4 h 00 min, since 2026-11-22T20:15:00.000Z',
    'Incident: drill-20261122T201500Z-1a2b3c4d',
    'Next: Nothing to do: the recovery goes on by itself.',
    'To: DR Coordinator <dr-coordinator@company.com>, Database Administrator <dba@company.com>, QA Engineer <qa@company.com>',
  ]);
});

test('a recovery does not call itself a drill', () => {
  const incident = makeIncident({ mode: 'recovery' });
  expect(composeMessage({ ...occasion, incident }, settings).text).not.toMatch(/drill on a copy/);
});

test('a refusal has no incident and still says what is next', () => {
  const announcement = { kind: 'refused', headline: 'refused', lines: [], next: 'Correct restoreTo.' } as const;
  const { text } = composeMessage({ ...occasion, incident: undefined, announcement }, settings);
  expect(text).toContain('Next: Correct restoreTo.');
  expect(text).not.toContain('Elapsed');
});

test.each(MessageKind.exclude(['customers']).options)(
  'a message of kind %s addresses a role and says what is next',
  (kind) => {
    const { text } = composeMessage({ ...occasion, announcement: { ...occasion.announcement, kind } }, settings);
    expect(text).toMatch(/^Next: .{10,}$/m);
    expect(text).toMatch(/^To: (DR Coordinator|Database Administrator) </m);
  },
);

test.each([
  { case: 'line breaks', text: 'one\r\ntwo', subject: 'one two' },
  { case: 'characters beyond ASCII', text: 'Störung – now', subject: 'St rung now' },
  { case: '99 characters', text: 'x'.repeat(99), subject: 'x'.repeat(99) },
  { case: '100 characters', text: 'x'.repeat(100), subject: `${'x'.repeat(96)}...` },
])('SNS accepts the subject of $case', ({ text, subject }) => {
  expect(subjectLine(text).replace(/ +/g, ' ')).toBe(subject);
  expect(subjectLine(text).length).toBeLessThan(100);
});

test('the chat message keeps the only schema that is shown, in one thread per incident', () => {
  const message = composeMessage(occasion, settings);
  const chat = chatMessage(occasion, message, 'staging');
  expect(chat).toMatchObject({
    version: '1.0',
    source: 'custom',
    content: { textType: 'client-markdown', description: message.text, nextSteps: [message.next] },
    metadata: { threadId: 'drill-20261122T201500Z-1a2b3c4d', eventType: 'milestone' },
  });
});
