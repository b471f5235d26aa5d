/** What people read: plain text that says mode, environment, time against the RTO, and what happens next. */
import type { Incident } from '../incident/contracts.ts';
import { formatSeconds, secondsBetween } from '../incident/moments.ts';
import type { Announcement } from '../incident/ports.ts';
import type { Settings } from '../settings.ts';

export interface Message {
  /** SNS: below 100 characters, ASCII, one line. */
  readonly subject: string;
  readonly text: string;
  readonly next: string;
}

type Role = keyof Settings['team'];

/** Whom a message of each kind asks to do something, and what happens by itself if they do nothing. */
const purposes: Readonly<Record<Announcement['kind'], { readonly to: readonly Role[]; readonly next: string }>> = {
  declared: {
    to: ['DR Coordinator', 'Database Administrator'],
    next: 'Nothing to do: the state machine restores, validates and reports by itself. The next message follows at a milestone.',
  },
  'approval-wanted': {
    to: ['DR Coordinator'],
    next: 'The recovery waits for your decision. Without one it is declined.',
  },
  milestone: {
    to: ['DR Coordinator', 'Database Administrator', 'QA Engineer'],
    next: 'Nothing to do: the recovery goes on by itself.',
  },
  update: { to: ['DR Coordinator'], next: 'Nothing to do: the recovery goes on by itself.' },
  resolved: {
    to: ['DR Coordinator', 'Database Administrator', 'QA Engineer'],
    next: 'Read the report and hold the post-incident review; a draft of it is in the report.',
  },
  failed: {
    to: ['DR Coordinator', 'Database Administrator', 'DevOps Engineer'],
    next: 'Read the report, correct the cause and start again.',
  },
  refused: { to: ['DR Coordinator'], next: 'Correct what the message names and start again. Nothing was touched.' },
  triage: { to: ['Database Administrator', 'DR Coordinator'], next: 'Look at the database now.' },
};

export interface Occasion {
  readonly incident: Incident | undefined;
  readonly announcement: Announcement;
  readonly now: string;
}

export function composeMessage(
  { incident, announcement, now }: Occasion,
  { environment, objectives, team }: Pick<Settings, 'environment' | 'objectives' | 'team'>,
): Message {
  const { kind, headline, lines } = announcement;
  const purpose = purposes[kind];
  const next = announcement.next ?? purpose.next;
  const mode = incident?.mode.toUpperCase();
  const paragraphs = [
    `${mode ? `${mode} - ` : ''}${environment} - ${headline}`,
    ...(incident?.mode === 'drill' ? ['This is a drill on a copy; production and customers are not affected.'] : []),
    ...lines,
    ...(incident
      ? [
          `Elapsed: ${formatSeconds(Math.max(0, secondsBetween(incident.detectedAt, now)))} of the RTO of ${formatSeconds(objectives.rtoSeconds)}, since ${incident.detectedAt}`,
          `Incident: ${incident.id}`,
        ]
      : []),
    `Next: ${next}`,
    `To: ${purpose.to.map((role) => (team[role] ? `${role} <${team[role]}>` : role)).join(', ')}`,
  ];
  return {
    subject: subjectLine([...(mode ? [mode] : []), environment, headline].join(' - ')),
    text: paragraphs.join('\n'),
    next,
  };
}

/** SNS refuses a subject with line breaks, control or non-ASCII characters, or of 100 characters and more. */
export function subjectLine(text: string): string {
  const line = text.replace(/[^\x20-\x7e]+/g, ' ').trim();
  return line.length < 100 ? line : `${line.slice(0, 96)}...`;
}
