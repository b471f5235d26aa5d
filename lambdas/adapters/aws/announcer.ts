/** Tells people through the internal topic and keeps on record what they were told, or that they could not be. */
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { chatMessage } from '../../../core/communications/chat-schema.ts';
import { composeMessage } from '../../../core/communications/messages.ts';
import { recordVersion } from '../../../core/incident/contracts.ts';
import type { Announcer, IncidentStore } from '../../../core/incident/ports.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from './clients.ts';

/** A drill has no other topic to publish to: customers are told of recoveries only. */
export function announcer(
  { settings, here, clock, logger }: Pick<Runtime, 'settings' | 'here' | 'clock' | 'logger'>,
  incidents: Pick<IncidentStore, 'recordMessage'>,
): Announcer {
  return {
    async announce(incident, announcement) {
      const at = clock.now().toISOString();
      const occasion = { incident, announcement, now: at };
      const message = composeMessage(occasion, settings);
      const chat = JSON.stringify(chatMessage(occasion, message, settings.environment));
      const publish = new PublishCommand({
        TopicArn: here.internalTopicArn,
        Subject: message.subject,
        // Amazon Q Developer subscribes by https and wants its schema; everyone else, email first, reads the text.
        MessageStructure: 'json',
        Message: JSON.stringify({ default: message.text, email: message.text, https: chat }),
      });
      const failure = await clientFor(SNSClient, here.region)
        .send(publish)
        .then(() => undefined, describe);
      if (failure) logger.error(`A message could not be sent: ${failure}`, { subject: message.subject });
      if (!incident) return;
      const { subject, text } = message;
      await incidents
        .recordMessage({
          version: recordVersion,
          incidentId: incident.id,
          at,
          kind: announcement.kind,
          subject,
          text,
          ...(failure ? { failure } : {}),
        })
        .catch((error: unknown) => logger.error(`A message could not be recorded: ${describe(error)}`));
    },
  };
}

const describe = (error: unknown) => (error instanceof Error ? `${error.name}: ${error.message}` : String(error));
