/** Tells people through the internal topic and keeps on record what they were told, or that they could not be. */
import { PublishCommand, type PublishCommandInput, SNSClient } from '@aws-sdk/client-sns';
import { chatMessage } from '../../../core/communications/chat-schema.ts';
import { composeMessage } from '../../../core/communications/messages.ts';
import { type Incident, type MessageRecord, recordVersion } from '../../../core/incident/contracts.ts';
import type { Announcer, IncidentStore } from '../../../core/incident/ports.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from './clients.ts';

type Sent = Pick<MessageRecord, 'at' | 'kind' | 'subject' | 'text'> & { readonly failure: string | undefined };

/** Customers are told of recoveries only, in their own words and on their own topic. */
export function announcer(
  { settings, here, clock, logger }: Pick<Runtime, 'settings' | 'here' | 'clock' | 'logger'>,
  incidents: Pick<IncidentStore, 'recordMessage'>,
): Announcer {
  async function send(input: PublishCommandInput): Promise<string | undefined> {
    const failure = await clientFor(SNSClient, here.region)
      .send(new PublishCommand(input))
      .then(() => undefined, describe);
    if (failure) logger.error(`A message could not be sent: ${failure}`, { subject: input.Subject });
    return failure;
  }
  const keep = ({ id }: Incident, { failure, ...message }: Sent) =>
    incidents
      .recordMessage({ version: recordVersion, incidentId: id, ...message, ...(failure ? { failure } : {}) })
      .catch((error: unknown) => logger.error(`A message could not be recorded: ${describe(error)}`));
  return {
    async announce(incident, announcement) {
      const at = clock.now().toISOString();
      const occasion = { incident, announcement, now: at };
      const message = composeMessage(occasion, settings);
      const chat = JSON.stringify(chatMessage(occasion, message, settings.environment));
      const failure = await send({
        TopicArn: here.internalTopicArn,
        Subject: message.subject,
        // Amazon Q Developer subscribes by https and wants its schema; everyone else, email first, reads the text.
        MessageStructure: 'json',
        Message: JSON.stringify({ default: message.text, email: message.text, https: chat }),
      });
      if (!incident) return;
      await keep(incident, { at, kind: announcement.kind, subject: message.subject, text: message.text, failure });
      const { customers } = announcement;
      if (customers === undefined || incident.mode === 'drill') return;
      const { subject: Subject, text: Message } = customers;
      const unheard = await send({ TopicArn: here.customersTopicArn, Subject, Message });
      await keep(incident, { at, kind: 'customers', subject: Subject, text: Message, failure: unheard });
    },
  };
}

const describe = (error: unknown) => (error instanceof Error ? `${error.name}: ${error.message}` : String(error));
