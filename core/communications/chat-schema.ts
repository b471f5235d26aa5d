/**
 * Amazon Q Developer in chat applications shows a custom message only in exactly this schema and drops anything else;
 * https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html. One thread per incident.
 */
import type { Message, Occasion } from './messages.ts';

export interface ChatMessage {
  readonly version: '1.0';
  readonly source: 'custom';
  readonly content: {
    readonly textType: 'client-markdown';
    readonly title: string;
    readonly description: string;
    readonly nextSteps: readonly string[];
    readonly keywords: readonly string[];
  };
  readonly metadata: {
    readonly threadId: string;
    readonly summary: string;
    readonly eventType: string;
    readonly relatedResources: readonly string[];
  };
}

const marks = {
  declared: ':rotating_light:',
  'approval-wanted': ':raised_hand:',
  milestone: ':arrow_forward:',
  update: ':hourglass_flowing_sand:',
  resolved: ':white_check_mark:',
  failed: ':x:',
  refused: ':no_entry:',
  triage: ':mag:',
} as const;

export function chatMessage(
  { incident, announcement: { kind, headline } }: Occasion,
  { subject, text, next }: Message,
  environment: string,
): ChatMessage {
  return {
    version: '1.0',
    source: 'custom',
    content: {
      textType: 'client-markdown',
      title: `${marks[kind]} ${subject}`,
      description: text,
      nextSteps: [next],
      keywords: [environment, incident?.mode ?? kind],
    },
    metadata: {
      threadId: incident?.id ?? `${environment}-${kind}`,
      summary: headline,
      eventType: kind,
      relatedResources: incident ? [incident.executionArn] : [],
    },
  };
}
