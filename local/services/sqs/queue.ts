/** One standard queue: messages, their visibility, and who waits for them. Knows nothing of the API. */
import { createHash, randomUUID } from 'node:crypto';
import type { MessageAttributeValue } from '@aws-sdk/client-sqs';
import { AwsError, type Clock } from '../../kernel.ts';

export interface Message {
  readonly id: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, MessageAttributeValue>>;
  readonly senderId: string;
  readonly sentAt: number;
  readonly deadLetterSourceArn?: string;
  firstReceivedAt?: number;
  receiveCount: number;
  visibleAt: number;
  receiptHandle?: string;
  /** Delayed by the sender and never received yet. */
  delayed: boolean;
}

export const md5 = (text: string) => createHash('md5').update(text).digest('hex');

export interface QueueLimits {
  readonly retentionMs: number;
  /** Where a message goes that was received more than `maxReceiveCount` times. */
  readonly redrive?: { readonly maxReceiveCount: number; move(message: Message): void } | undefined;
}

export class Queue {
  readonly #clock: Clock;
  readonly #limits: () => QueueLimits;
  readonly #waiters = new Set<AbortController>();
  #messages: Message[] = [];
  #closed = false;

  /** `limits` is read at each use: SetQueueAttributes takes effect at once. */
  constructor(clock: Clock, limits: () => QueueLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  send(content: Pick<Message, 'body' | 'attributes' | 'senderId' | 'deadLetterSourceArn'>, delayMs: number): Message {
    const now = this.#clock.now();
    const message: Message = {
      ...content,
      id: randomUUID(),
      sentAt: now,
      receiveCount: 0,
      visibleAt: now + this.#clock.scale(delayMs),
      delayed: delayMs > 0,
    };
    this.#messages.push(message);
    this.#wake();
    return message;
  }

  /** Up to `maximum` visible messages, waiting (an AWS-owned wait) for the first one. */
  async receive(maximum: number, visibilityMs: number, waitMs: number): Promise<Message[]> {
    const deadline = this.#clock.now() + this.#clock.scale(waitMs);
    for (;;) {
      const taken = this.#take(maximum, visibilityMs);
      const now = this.#clock.now();
      if (taken.length > 0 || now >= deadline || this.#closed) return taken;
      await this.#changeBefore(Math.min(deadline, ...this.#messages.map((message) => message.visibleAt)));
    }
  }

  /** Deleting what is already gone succeeds, as on SQS; a handle that never was does not. */
  delete(receiptHandle: string): void {
    const id = idOf(receiptHandle);
    this.#messages = this.#messages.filter((message) => message.id !== id);
  }

  changeVisibility(receiptHandle: string, visibilityMs: number): void {
    const id = idOf(receiptHandle);
    const message = this.#messages.find((candidate) => candidate.id === id);
    if (!message || message.visibleAt <= this.#clock.now()) {
      throw new AwsError('MessageNotInflight', 'The message referred to is not in flight.');
    }
    message.visibleAt = this.#clock.now() + visibilityMs;
    this.#wake();
  }

  purge(): void {
    this.#messages = [];
  }

  counts(): { visible: number; inFlight: number; delayed: number } {
    this.#expire();
    const now = this.#clock.now();
    const hidden = this.#messages.filter((message) => message.visibleAt > now);
    const delayed = hidden.filter((message) => message.delayed).length;
    return { visible: this.#messages.length - hidden.length, inFlight: hidden.length - delayed, delayed };
  }

  /** Ends every wait, so that nobody hangs on a cloud that stops. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  /** The visibility timeout guards a consumer's real work, so it is not scaled. */
  #take(maximum: number, visibilityMs: number): Message[] {
    this.#expire();
    const { redrive } = this.#limits();
    const now = this.#clock.now();
    const taken: Message[] = [];
    for (const message of this.#messages) {
      if (taken.length === maximum) break;
      if (message.visibleAt > now) continue;
      if (redrive && message.receiveCount >= redrive.maxReceiveCount) {
        this.#messages = this.#messages.filter((other) => other !== message);
        redrive.move(message);
        continue;
      }
      message.receiveCount += 1;
      message.firstReceivedAt ??= now;
      message.visibleAt = now + visibilityMs;
      message.delayed = false;
      message.receiptHandle = `${message.id}#${message.receiveCount}`;
      taken.push(message);
    }
    return taken;
  }

  #expire(): void {
    const oldest = this.#clock.now() - this.#clock.scale(this.#limits().retentionMs);
    this.#messages = this.#messages.filter((message) => message.sentAt >= oldest);
  }

  async #changeBefore(moment: number): Promise<void> {
    const waiter = new AbortController();
    this.#waiters.add(waiter);
    await this.#clock.limit(Math.max(1, moment - this.#clock.now()), waiter.signal).catch(() => undefined);
    this.#waiters.delete(waiter);
  }

  #wake(): void {
    for (const waiter of this.#waiters) waiter.abort();
  }
}

function idOf(receiptHandle: string): string {
  const [, id] = /^([0-9a-f-]{36})#\d+$/.exec(receiptHandle) ?? [];
  if (!id) throw new AwsError('ReceiptHandleIsInvalid', 'The input receipt handle is invalid.');
  return id;
}
